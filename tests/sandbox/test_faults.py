"""Injected faults, as a client meets them."""

import asyncio
import time
from typing import Any

import httpx
import msgspec
import pytest

from tests.sandbox.client import Sandbox


async def test_a_dropped_answer_comes_after_the_deed(sandbox: Sandbox) -> None:
    """The refresh is processed, the client sees the connection close, the old token is dead."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/faults", path="/oauth/token", kind="drop_answer", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await sandbox.refresh(ada.refresh)
    again = await sandbox.refresh(ada.refresh)
    issued = await sandbox.control("GET", "/secrets")

    assert again.json()["error"] == "invalid_grant"
    assert len(issued["refresh_tokens"]) >= 2


async def test_a_hanging_request_outlasts_the_clients_time_out(sandbox: Sandbox) -> None:
    """Nothing is answered and nothing is done until the client gives up."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/faults", path="/oauth/token", kind="hang", count=1)
    form = {"grant_type": "refresh_token", "refresh_token": ada.refresh}
    with pytest.raises(httpx.ReadTimeout):
        await sandbox.http.post("/oauth/token", data=form, timeout=0.3)

    assert (await sandbox.refresh(ada.refresh)).status_code == 200


async def test_a_hang_can_end_in_a_cut(sandbox: Sandbox) -> None:
    """After its seconds a hang closes the connection without an answer."""
    await sandbox.control("POST", "/faults", kind="hang", seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        await sandbox.http.get("/users/me")


async def test_latency_only_delays(sandbox: Sandbox) -> None:
    """The request is answered as usual, but later."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/faults", path="/users/*", kind="latency", seconds=0.15)
    started = time.monotonic()
    answer = await sandbox.get(ada, "/users/me")

    assert answer.status_code == 200
    assert time.monotonic() - started >= 0.15


async def test_an_answer_can_be_late_though_the_deed_was_prompt(sandbox: Sandbox) -> None:
    """The old token is dead while the answer with the new one is still under way."""
    ada = await sandbox.grant()
    await sandbox.control(
        "POST",
        "/faults",
        path="/oauth/token",
        kind="latency",
        processed=True,
        seconds=0.3,
        count=1,
    )
    waiting = asyncio.create_task(sandbox.refresh(ada.refresh))
    await asyncio.sleep(0.1)
    again = await sandbox.refresh(ada.refresh)
    pending = not waiting.done()
    late = await waiting

    assert pending
    assert again.json()["error"] == "invalid_grant"
    assert late.status_code == 200


async def test_a_status_fault_speaks_the_hosts_language(sandbox: Sandbox) -> None:
    """A 500 of the API and a 503 of the OAuth host each have their family's body."""
    await sandbox.control("POST", "/faults", path="/users/*", kind="status")
    await sandbox.control("POST", "/faults", path="/oauth/*", kind="status", status=503)
    api, oauth = await sandbox.http.get("/users/me"), await sandbox.refresh("x")

    assert (api.status_code, api.json()["title"]) == (500, "Internal Server Error")
    assert (oauth.status_code, set(oauth.json())) == (503, {"error", "error_description"})


@pytest.mark.parametrize(("processed", "status"), [(True, 400), (False, 200)])
async def test_a_status_fault_can_come_after_the_deed(
    sandbox: Sandbox, processed: bool, status: int
) -> None:
    """With `processed` the error hides a refresh that took effect."""
    ada = await sandbox.grant()
    rule = {"path": "/oauth/token", "kind": "status", "status": 502, "count": 1}
    await sandbox.control("POST", "/faults", **rule, processed=processed)
    faulty = await sandbox.refresh(ada.refresh)

    assert faulty.status_code == 502
    assert (await sandbox.refresh(ada.refresh)).status_code == status


async def test_a_malformed_answer_is_not_json(sandbox: Sandbox) -> None:
    """200 with a body that cannot be decoded."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/faults", path="/users/me", kind="malformed")
    answer = await sandbox.get(ada, "/users/me")

    assert answer.status_code == 200
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(answer.content)


@pytest.mark.parametrize("retry_after", [None, 7])
async def test_a_429_can_be_injected(sandbox: Sandbox, retry_after: int | None) -> None:
    """With or without Retry-After, and with nothing remaining."""
    await sandbox.control("POST", "/faults", kind="rate_limited", retry_after=retry_after)
    answer = await sandbox.http.get("/users/me")

    assert answer.status_code == 429
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers.get("retry-after") == (None if retry_after is None else "7")


async def test_a_fault_strikes_its_share_its_method_and_its_count(sandbox: Sandbox) -> None:
    """Share, method, path and count narrow a rule; each strike is counted."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/faults", path="/users/*", kind="status", share=0.5)
    share = [(await sandbox.get(ada, "/users/me")).status_code for _ in range(60)]
    await sandbox.control("DELETE", "/faults")
    await sandbox.control("POST", "/faults", method="POST", kind="status", count=2)
    spared = await sandbox.get(ada, "/users/me")
    counted = [(await sandbox.post(ada, "/invitees", {})).status_code for _ in range(3)]
    [rule] = (await sandbox.control("GET", "/faults"))["faults"]

    assert 10 < share.count(500) < 50
    assert spared.status_code == 200
    assert counted == [500, 500, 400]
    assert rule["hits"] == 2


async def test_a_rule_can_be_lifted(sandbox: Sandbox) -> None:
    """By its id; the control surface itself is never struck."""
    rule = await sandbox.control("POST", "/faults", kind="status")
    await sandbox.control("DELETE", f"/faults/{rule['id']}")

    assert (await sandbox.http.get("/users/me")).status_code == 401


@pytest.mark.parametrize("rule", [{"kind": "fire"}, {"kind": "status", "share": 2}, {}])
async def test_a_rule_that_makes_no_sense_is_refused(
    sandbox: Sandbox, rule: dict[str, Any]
) -> None:
    """400 with what to do."""
    answer = await sandbox.http.post("/_control/faults", json=rule)

    assert answer.status_code == 400
    assert "error" in answer.json()


async def test_a_cut_leaves_other_requests_alone(sandbox: Sandbox) -> None:
    """Requests under way on other connections are answered."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/faults", path="/event_types", kind="drop_answer")
    cut, fine = await asyncio.gather(
        sandbox.get(ada, "/event_types"), sandbox.get(ada, "/users/me"), return_exceptions=True
    )

    assert isinstance(cut, httpx.RemoteProtocolError)
    assert isinstance(fine, httpx.Response)
    assert fine.status_code == 200
