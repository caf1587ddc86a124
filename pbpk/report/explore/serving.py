"""The page served to this machine alone: a session that asks and shows, behind an address nobody can guess."""

import hmac
import secrets
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from shiny import App, Inputs, Outputs, Session, reactive, render, ui

from pbpk.errors import InputError
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import Scenario
from pbpk.report.explore.answer import Answer, ask
from pbpk.report.explore.page import form_words, page_html
from pbpk.report.explore.shown import Shown, stops
from pbpk.report.explore.takeaway import NAMES, WriteTable, write_takeaway
from pbpk.report.explore.views import command_line, view_html
from pbpk.report.wording import span

HOST = "127.0.0.1"
GRACE = 1  # that open pages are waited for at the end [s]
type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Exploring:
    """Whom a page asks, and what it begins with.

    starts : scenarios that a form can begin with, by name; first : those that stand there at once
    cells : given in scenarios that do not say how many; run, options : how `pbpk simulate` is told the same
    write_table : how tables are written
    """

    origin: Origin
    starts: Mapping[str, Scenario]
    first: Sequence[Scenario]
    cells: float | None
    run: str
    options: str
    write_table: WriteTable


POLICY = (  # what a browser may load: from here alone
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self' ws://127.0.0.1:{port}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Guarded:
    """An application that answers only below a secret address, and lets a browser load nothing from elsewhere."""

    def __init__(self, inner: Any, token: str, port: int) -> None:
        self.inner, self.token = inner, token
        self.headers = [
            (b"content-security-policy", POLICY.format(port=port).encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what knows the secret, without it; refuse all else with 403."""
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        given, _, rest = str(scope["path"]).removeprefix("/").partition("/")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            await _refuse(scope, receive, send)
            return

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *self.headers]}
            await send(message)

        await self.inner({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, answer)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the server answers 403
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"403: open the address that `pbpk explore` printed.\n"})


def application(what: Exploring) -> App:
    """Page and session, not yet guarded."""
    command = f"pbpk simulate {what.run} scenarios --out answers{what.options}"
    return App(ui.page_html(page_html(what.origin, what.starts, what.first, what.cells, command)), _server(what))


def _server(what: Exploring) -> Callable[[Inputs, Outputs, Session], None]:
    def server(input: Inputs, output: Outputs, session: Session) -> None:
        @reactive.calc
        def answered() -> Answer:
            return ask(what.origin, form_words(input.asked()), what.starts, what.cells)

        @reactive.calc
        def shown() -> Shown:
            found = input.shown()
            return Shown.sent(found if isinstance(found, dict) else {})

        @render.ui
        def answer() -> ui.HTML:
            return ui.HTML(str(view_html(answered(), shown())))

        @reactive.effect
        async def _() -> None:
            await session.send_custom_message("known", known(what, answered(), shown()))

        def taken(name: str) -> bytes:
            found, how = answered(), shown()
            return read_written(lambda folder: write_takeaway(name, found, how, folder, what.write_table))

        for name in NAMES:
            _offer(output, name, partial(taken, name))

    return server


def _offer(output: Outputs, name: str, give: Callable[[], bytes]) -> None:
    """A file to take away, made when somebody takes it."""

    def handler() -> Iterator[bytes]:
        yield give()

    output(id=name)(render.download_link(filename=NAMES[name])(handler))


def read_written(write: Callable[[Path], Path]) -> bytes:
    """Content of a file that is written only to be read."""
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder)).read_bytes()


def known(what: Exploring, answer: Answer, shown: Shown) -> dict[str, Any]:
    """What controls outside the answer must know of it: names, hours to stop at, the command."""
    found: list[float] = []
    if answer.filed is not None:
        hours = answer.filed["hours"].to_numpy().astype(float)
        found = stops(hours, shown.last_of(hours))
    return {
        "scenarios": [[scenario.name, scenario.title] for scenario in answer.scenarios],
        "against": answer.usual_against,
        "stops": [{"hours": hour, "told": span(float(f"{hour:.3g}"))} for hour in found],
        "command": command_line(what.run, answer, shown, what.options),
    }


def listening(port: int) -> socket.socket:
    """Socket of this machine alone; a free port where 0.

    Raises
    ------
    InputError
        if the port is taken
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
    except (OSError, OverflowError):
        found.close()
        raise InputError(f"--port {port} cannot be used: it is taken or not allowed; name another, or none.") from None
    found.listen()
    return found


def address_of(door: socket.socket, token: str) -> str:
    """Where a page is found."""
    return f"http://{HOST}:{door.getsockname()[1]}/{token}/"


def new_token() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(24)


def serve(what: Exploring, door: socket.socket, token: str) -> None:
    """Serve until somebody presses Ctrl-C."""
    guarded = Guarded(application(what), token, door.getsockname()[1])
    config = uvicorn.Config(guarded, log_level="error", access_log=False, ws="websockets-sansio",
                            timeout_graceful_shutdown=GRACE)  # fmt: skip
    try:
        uvicorn.Server(config).run(sockets=[door])
    except KeyboardInterrupt:
        return
