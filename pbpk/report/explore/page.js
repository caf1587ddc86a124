"use strict";
// Forms are read as they stand and sent whole; while an answer is under way only the latest question waits.
(() => {
  const forms = document.getElementById("forms");
  const byId = (id) => document.getElementById(id);
  let last = "", asked = 0, busy = false, wanting = false, next = 1, stops = [];

  const all = () => [...forms.querySelectorAll(".scenario")];
  const fields = (card) => [...card.querySelectorAll("[name]")];

  function read(card) {
    const values = { uid: card.dataset.uid, start: card.dataset.start };
    for (const field of fields(card)) values[field.name] = field.value;
    return values;
  }

  function letters(i) { return i < 26 ? String.fromCharCode(65 + i) : String(i + 1); }

  // what the page says of its own forms: letters, names, values of ranges, which fields count
  function tell() {
    all().forEach((card, i) => {
      const values = read(card);
      card.dataset.uid = card.dataset.uid || String(next++);
      card.querySelector(".letter").textContent = letters(i);
      card.querySelector(".called").textContent = values.title || "Scenario";
      card.setAttribute("aria-label", "Scenario " + letters(i) + ": " + values.title);
      card.querySelector(".equal").hidden = values.way === "file";
      for (const part of card.querySelectorAll("[data-with]")) part.hidden = values[part.dataset.with] === "";
      card.querySelector("[name=interval_h]").disabled = Number(values.doses) <= 1;
      card.querySelector("[name=rates]").disabled = !(values.species || values.body_weight_g);
      for (const range of card.querySelectorAll("input[type=range]")) {
        const told = range.closest("label").querySelector("output"), unit = told.dataset.unit;
        const value = String(Number(Number(range.value).toPrecision(6)));
        told.textContent = unit === "min" && value === "0" ? "at once" : unit === "×" ? "× " + value : value + " " + unit;
        range.setAttribute("aria-valuetext", told.textContent);
      }
      card.querySelector("[data-do=remove]").disabled = all().length < 2;
    });
  }

  function hour() {
    const at = stops[Number(byId("hour").value)];
    return at === undefined ? 24 : at.hours;
  }

  function shown() {
    const view = document.querySelector("input[name=view]:checked").value;
    document.body.dataset.view = view;
    return { view, last: byId("last").value, hour: hour(), against: byId("against").value, organ: byId("organ").value,
             cells: byId("cells").value, probability: byId("probability").value };
  }

  function ask() {
    tell();
    const scenarios = all().map(read), settings = shown(), whole = JSON.stringify([scenarios, settings]);
    if (whole === last) { wanting = false; return; }
    document.body.dataset.state = "asking";
    if (busy) { wanting = true; return; }
    last = whole; busy = true; wanting = false; asked = performance.now();
    Shiny.setInputValue("asked", scenarios);
    Shiny.setInputValue("shown", settings);
  }

  function fresh(card) {
    card.dataset.uid = String(next++);
    return card;
  }

  document.addEventListener("input", (event) => { if (event.target.closest(".page")) ask(); });
  document.addEventListener("change", (event) => { if (event.target.closest(".page")) ask(); });

  byId("add").addEventListener("click", () => {
    const start = document.querySelectorAll("template.start")[Number(byId("start").value)];
    const card = fresh(start.content.querySelector(".scenario").cloneNode(true));
    forms.append(card);
    ask();
    card.querySelector("summary").focus();
  });

  forms.addEventListener("click", (event) => {
    const what = event.target.dataset && event.target.dataset.do;
    if (!what) return;
    const card = event.target.closest(".scenario");
    if (what === "copy") {
      const twin = fresh(card.cloneNode(true));
      fields(card).forEach((field, i) => { fields(twin)[i].value = field.value; });
      twin.querySelector("[name=title]").value += ", copy";
      card.after(twin);
      ask();
      twin.querySelector("[name=title]").select();
    } else if (all().length > 1) {
      const other = card.nextElementSibling || card.previousElementSibling;
      card.remove();
      ask();
      other.querySelector("summary").focus();
    }
  });

  $(document).on("shiny:connected", ask);
  $(document).on("shiny:idle", () => {
    busy = false;
    if (wanting) { wanting = false; ask(); }
  });
  $(document).on("shiny:value shiny:error", (event) => {
    if (event.name !== "answer" || event.value === null) return;
    requestAnimationFrame(() => requestAnimationFrame(() => {  // when it is on the screen
      byId("time").textContent = "answered in " + Math.round(performance.now() - asked) + " ms";
      if (!busy && !wanting) document.body.dataset.state = "settled";
    }));
  });
  $(document).on("shiny:disconnected", () => { byId("gone").hidden = false; });

  // names to compare with, hours to stop at and the command: known only once there is an answer
  $(document).on("shiny:sessioninitialized", () => {
    Shiny.addCustomMessageHandler("known", (known) => {
      const against = byId("against"), chosen = against.value;
      against.replaceChildren(...known.scenarios.map(([name, title]) => new Option(title, name)));
      against.value = known.scenarios.some(([name]) => name === chosen) ? chosen : known.against;
      const slider = byId("hour"), at = stops.length ? hour() : 24;
      stops = known.stops;
      slider.max = String(Math.max(stops.length - 1, 0));
      let nearest = 0;
      stops.forEach((stop, i) => { if (Math.abs(stop.hours - at) < Math.abs(stops[nearest].hours - at)) nearest = i; });
      slider.value = String(nearest);
      told();
      byId("command").textContent = known.command;
    });
  });
  function told() {
    const at = stops[Number(byId("hour").value)];
    byId("hour-told").textContent = at ? at.told : "";
    byId("hour").setAttribute("aria-valuetext", at ? at.told : "");
  }
  byId("hour").addEventListener("input", told);
  // Shiny need not watch what is read here
  for (const field of document.querySelectorAll("input, select")) field.setAttribute("data-shiny-no-bind-input", "");
  tell();
  if (window.matchMedia("(max-width: 60rem)").matches) {
    for (const part of forms.querySelectorAll(".scenario > details")) part.open = false;
  }
})();
