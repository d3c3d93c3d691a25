"""Weak ETags, 304, and what a 304 costs."""

import re

import httpx
import pytest

from tests.sandbox.client import Account, Sandbox, tail

LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


async def ask(sandbox: Sandbox, who: Account, known: str | None = None) -> httpx.Response:
    """List the account's event types, naming a tag perhaps."""
    headers = who.auth if known is None else {**who.auth, "If-None-Match": known}
    return await sandbox.http.get("/event_types", params={"user": who.uri}, headers=headers)


async def test_equal_answers_have_equal_weak_tags(sandbox: Sandbox) -> None:
    """A read is tagged by its body: the tag stays until something changes."""
    ada = await sandbox.grant()
    first, again = await ask(sandbox, ada), await ask(sandbox, ada)
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    await sandbox.control("PATCH", f"/event-types/{tail(uri)}", name="Half an hour")
    changed = await ask(sandbox, ada, first.headers["etag"])

    assert re.fullmatch(r'W/"[0-9a-f]{32}"', first.headers["etag"])
    assert again.headers["etag"] == first.headers["etag"]
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("form", ["{}", '"other", {}', "*", "strong"])
async def test_a_known_tag_is_304_without_a_body(sandbox: Sandbox, form: str) -> None:
    """Alone, in a list, as `*`, and without its W/ (weak comparison), it spares the body."""
    ada = await sandbox.grant()
    tag = (await ask(sandbox, ada)).headers["etag"]
    known = tag.removeprefix("W/") if form == "strong" else form.format(tag)
    answer = await ask(sandbox, ada, known)

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert "content-type" not in answer.headers


async def test_a_304_costs_as_much_as_any_answer(sandbox: Sandbox) -> None:
    """It carries the rate-limit headers, counts against them, and gives way to a 429."""
    finn = await sandbox.grant("finn@example.com")
    tag = (await ask(sandbox, finn)).headers["etag"]
    answers = [await ask(sandbox, finn, tag) for _ in range(50)]

    assert all(name in answers[0].headers for name in LIMITS)
    assert [each.headers["x-ratelimit-remaining"] for each in answers[:2]] == ["48", "47"]
    assert {each.status_code for each in answers[:49]} == {304}
    assert answers[49].status_code == 429


async def test_only_successful_reads_are_tagged(sandbox: Sandbox) -> None:
    """Errors, writes and the control surface have no tag."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    body = {"max_event_count": 1, "owner": uri, "owner_type": "EventType"}
    answers = [
        await sandbox.get(ada, "/event_types"),
        await sandbox.http.get("/users/me"),
        await sandbox.post(ada, "/scheduling_links", body),
        await sandbox.http.get("/_control/health"),
    ]

    assert [each.status_code for each in answers] == [400, 401, 201, 200]
    assert all("etag" not in each.headers for each in answers)


async def test_tags_can_be_turned_off(sandbox: Sandbox) -> None:
    """With the switch off nothing is tagged, and a tag from before spares nothing."""
    ada = await sandbox.grant()
    tag = (await ask(sandbox, ada)).headers["etag"]
    await sandbox.control("PATCH", "/switches", etags=False)
    answer = await ask(sandbox, ada, tag)

    assert answer.status_code == 200
    assert "etag" not in answer.headers
