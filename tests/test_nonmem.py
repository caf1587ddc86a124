"""Tables with NONMEM's columns, read into records or refused in a sentence."""

import pytest

from pbpk.dosing import Event, occasions
from pbpk.errors import InputError
from pbpk.nonmem import Record, read_events, read_records


def read(tmp_path, text, **told):
    path = tmp_path / "events.csv"
    path.write_text(text)
    return read_events(path, **{"routes": {"1": "iv", "2": "sc"}, **told})


def test_a_table_becomes_events(tmp_path):
    text = (
        "id,time,Amt,RATE,dur,evid,mdv,cmt,addl,ii,ss,DV,WT\n"
        "1,0,100,.,.,1,1,1,2,12,0,.,70\n"
        "1,24,.,.,.,0,0,.,.,.,.,3.5,70\n"
        "1,24,50,0,2,4,1,sc,0,12,1,.,70\n"
        "2.0,-1,10,5,,1,1,2.0,,,,,80\n"
        "2,0,,,,3,1,,,,,,80\n"
    )
    found = read(tmp_path, text, covariates=("wt",))
    at = f"{tmp_path / 'events.csv'}: row "
    assert found == {
        "1": (
            Event(0, 1, 100, route="iv", addl=2, interval_h=12, place=f"{at}2"),
            Event(24, 0, place=f"{at}3"),
            Event(24, 4, 50, 0, 2, "sc", 0, 12, 1, f"{at}4"),
        ),
        "2": (Event(-1, 1, 10, 5, route="sc", place=f"{at}5"), Event(0, 3, place=f"{at}6")),
    }


def test_a_missing_evid_is_told_by_the_rest(tmp_path):
    rows = ["9,.,.,0,.", "5,.,.,1,.", ".,.,.,0,7", ".,.,.,1,7", ".,2,1,.,.", ".,.,.,101,."]
    text = "ID,TIME,AMT,RATE,SS,MDV,DV\n" + "".join(f"1,{i},{row}\n" for i, row in enumerate(rows[1:]))
    assert [e.evid for e in read(tmp_path, text, routes={"0": "iv"})["1"]] == [1, 0, 2, 1, 2]
    with pytest.raises(InputError, match="row 2: MDV is 0, but EVID 1 is no observation; set MDV to 1"):
        read(tmp_path, f"ID,TIME,AMT,RATE,SS,MDV,DV\n1,0,{rows[0]}\n", routes={"0": "iv"})


def test_each_occasion_of_a_subject_has_its_clock(tmp_path):
    found = read(tmp_path, "ID,TIME,EVID,AMT,CMT\n1,0,1,5,1\n1,9,0,.,.\n1,0,4,6,1\n")
    assert [len(run) for run in occasions(found["1"])] == [2, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": the file is empty; its first line must name the columns."),
        ("ID,TIME\n", ": the table has no rows under its header."),
        ("ID;TIME\n1;0\n", ": there is one column; save the table with commas between its columns."),
        ("ID,TIME\n1\n", ": row 2 has 1 cells, the header 2; make them agree."),
        ('ID,TIME\n1,"' + 200_000 * "0", ": not readable as a table: "),
        ("ID,AMT\n1,0\n", ": the column `TIME` is missing; add it to the first line."),
        ("ID,TIME,time\n1,0,0\n", ": the column `TIME` stands twice; remove one."),
        ("ID,TIME,RAET\n1,0,0\n", ": unknown column `RAET`. Did you mean `RATE`?"),
        ("ID,TIME,WEIGHT\n1,0,0\n", ": unknown column `WEIGHT`. Remove it, or name it as a covariate."),
        ("ID,TIME,DATE\n1,0,0\n", ": the column `DATE` is not read; give TIME in hours and remove it."),
        ("ID,TIME\n1,8:30\n", ": row 2: `TIME`: `8:30` is a time of the clock; write hours as a number."),
        ("ID,TIME\n1,.\n", ": row 2: `TIME` is missing; add it."),
        ("ID,TIME,AMT\n1,0,ten\n", ": row 2: `AMT` is `ten`: input should be a valid number"),
        ("ID,TIME,ADDL\n1,0,1.5\n", ": row 2: `ADDL` is `1.5`: input should be a valid integer"),
        ("ID,TIME,MDV\n1,0,2\n", ": row 2: MDV is 2; it must be 0, 1, 100 or 101."),
        ("ID,TIME,AMT\n1,0,10\n", ": row 2: the dose has no CMT; give it, or name the default route as `0`"),
        ("ID,TIME,AMT,CMT\n1,0,10,3\n", ": row 2: `routes` has no CMT 3. Choose from `1`, `2`."),
        ("ID,TIME,EVID,CMT\n1,0,2,-1\n", ": row 2: CMT is -1, but no compartment can be turned off"),
        ("ID,TIME,AMT,CMT\n1,0,-5,1\n", ": row 2: AMT is -5; it must be at least 0."),
        ("ID,TIME,SS,CMT\n1,0,1,1\n", ": row 2: SS without AMT is an infusion since ever; give its RATE, or an AMT."),
        ("ID,TIME,EVID,AMT,CMT\n1,0,0,5,1\n", ": row 2: AMT is 5 though EVID 0 is no dose;"),
        ("ID,TIME\n1,0\n2,0\n1,1\n", ": row 4: the rows of subject `1` are apart; put them together."),
        ("ID,TIME\n1,5\n1,3\n", ": row 3: TIME goes back from 5 to 3;"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(tmp_path, text, said):
    with pytest.raises(InputError) as refusal:
        read(tmp_path, text)
    assert str(refusal.value).startswith(f"{tmp_path / 'events.csv'}{said}")
    assert str(refusal.value).endswith((".", "?"))
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_none_or_no_text_says_so(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_events(tmp_path / "none.csv")
    (tmp_path / "events.csv").write_bytes(b"ID,TIME\n\xff\xfe,0\n")
    with pytest.raises(InputError, match="not readable as UTF-8"):
        read_events(tmp_path / "events.csv")


def test_a_covariate_must_be_there(tmp_path):
    with pytest.raises(InputError, match="the column `WT` is missing"):
        read(tmp_path, "ID,TIME\n1,0\n", covariates=("WT",))


def test_what_was_seen_is_read_beside(tmp_path):
    text = (
        "ID,TIME,AMT,EVID,CMT,DVID,DV,CENS,LIMIT,ARM\n"
        "1,0,100,1,1,.,.,.,.,a\n"
        "1,1,.,0,2,1,3.5,0,.,a\n"
        "1,2,.,0,2,.,0.5,1,.,a\n"
        "1,3,.,0,2,2,0.5,1,0.1,a\n"
        "1,4,.,0,2,2,.,.,.,a\n"
    )
    path = tmp_path / "seen.csv"
    path.write_text(text)
    (records,) = read_records(path, {"1": "iv"}, arm="arm").values()
    assert {record.arm for record in records} == {"a"}
    said = [(r.seen, r.value, r.censored, r.limit) for r in records[1:]]
    assert said == [("1", 3.5, 0, None), ("2", 0.5, 1, None), ("2", 0.5, 1, 0.1), ("2", None, 0, None)]
    assert isinstance(records[0], Record)
    assert records[0].value is None


def test_a_value_of_a_missing_record_is_not_seen(tmp_path):
    path = tmp_path / "seen.csv"
    path.write_text("ID,TIME,EVID,MDV,DV\n1,1,0,1,3.5\n1,2,0,0,3.5\n")
    (records,) = read_records(path).values()
    assert [record.value for record in records] == [None, 3.5]


@pytest.mark.parametrize(
    ("row", "said"),
    [("3.5,-1,.", "CENS is -1; it must be 0 or 1 (below DV); a value that is only known to lie above DV is not read"),
     ("3.5,2,.", "CENS is 2; it must be 0 or 1 (below DV)."),
     (".,1,.", "CENS is 1, so DV must say below what"),
     ("3.5,1,4", "LIMIT is 4; it must lie below DV, which is 3.5")],
)  # fmt: skip
def test_a_limit_that_cannot_be_is_refused(tmp_path, row, said):
    path = tmp_path / "seen.csv"
    path.write_text(f"ID,TIME,DV,CENS,LIMIT\n1,1,{row}\n")
    with pytest.raises(InputError) as refusal:
        read_records(path)
    assert said in str(refusal.value)
    assert "row 2" in str(refusal.value)
