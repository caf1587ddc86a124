"""Only who knows the address is answered, and nothing is loaded from elsewhere."""

import asyncio

import pytest

from pbpk.errors import InputError
from pbpk.report.explore.answer import ask
from pbpk.report.explore.serving import Exploring, Guarded, address_of, application, known, listening, new_token
from pbpk.report.explore.shown import Shown
from pbpk.share.tables import write_table

TOKEN = "secret"


async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def asked(path, kind="http"):
    """Messages that come back."""
    sent = []

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(Guarded(inner, TOKEN, 8000)({"type": kind, "path": path}, receive, send))
    return sent


@pytest.mark.parametrize(
    "path", ["/", "", "/secre/", "/secrets/", "/x/secret/", "/SECRET/", "/websocket/", "//secret/", "/ſecret/"]
)
def test_without_the_secret_everything_is_refused(path):
    start, body = asked(path)
    assert start["status"] == 403
    assert b"403" in body["body"]
    (closed,) = asked(path, "websocket")
    assert closed["type"] == "websocket.close"


def test_with_it_the_rest_of_the_path_is_asked_and_a_browser_told_to_stay_here():
    start, body = asked("/secret/lib/shiny.js")
    assert start["status"] == 200
    assert body["body"] == b"/lib/shiny.js"
    headers = dict(start["headers"])
    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert b"http" not in headers[b"content-security-policy"].replace(b"ws://127.0.0.1:8000", b"")
    assert headers[b"referrer-policy"] == b"no-referrer"


def test_doors_are_of_this_machine_and_secrets_differ():
    with listening(0) as door:
        assert door.getsockname()[0] == "127.0.0.1"
        assert address_of(door, TOKEN) == f"http://127.0.0.1:{door.getsockname()[1]}/secret/"
        with pytest.raises(InputError, match="cannot be used"):
            listening(door.getsockname()[1])
    assert len({new_token() for _ in range(20)}) == 20
    assert len(new_token()) >= 32


def test_the_page_is_told_names_hours_and_the_command(origin, starts, answer):
    what = Exploring(origin, starts, [starts["iv_bolus"]], None, "msc", " --seed 2", write_table)
    found = known(what, answer, Shown(last=24.0))
    assert found["scenarios"] == [["portal_vein", "Portal vein"], ["iv_bolus", "IV bolus"]]
    assert found["against"] == "iv_bolus"
    assert found["stops"][-1] == {"hours": 24.0, "told": "24 h"}
    assert found["command"] == "pbpk simulate msc scenarios --out answers --seed 2"
    assert known(what, ask(origin, [], starts), Shown())["stops"] == []


def test_the_application_serves_a_page(origin, starts):
    what = Exploring(origin, starts, [starts["iv_bolus"]], None, "msc", "", write_table)
    assert "Skip to the answer" in application(what).ui["html"]
