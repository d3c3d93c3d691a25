"""Reads that are answered without the framework, and the routes behind, which answer the same."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from application.ports.storage.availability_cache import READ_MARK_INTERVAL
from domain.cache_policy import Freshness
from domain.errors import CalendlyUnavailable
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

TYPES = "/api/calendly/event-types"
SLOTS = "/api/calendly/availability"
RANGE = "start=2026-12-02T09:00:00Z&end=2026-12-08T09:00:00Z"
ASKED = {
    TYPES: "limit=5",
    SLOTS: f"{RANGE}&event_type=intro&timezone=Europe/Berlin",
    "/api/calendly/busy-times": RANGE,
    "/api/calendly/schedules": "max_age=3000",
}
OWN = ("x-request-id",)


@pytest.fixture(autouse=True)
async def connected(services: StandInServices) -> None:
    """Ada is connected."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()


async def read(client: Client, path: str = TYPES, **headers: str) -> Any:
    """Return the answer to a read."""
    return await client.get(f"{path}?{ASKED[path]}", headers={**CALLER, **headers})


def content_of(answer: Any) -> tuple[Any, ...]:
    """Return a response's content without the headers of each single request."""
    headers = {name: value for name, value in answer.headers.items() if name not in OWN}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("path", list(ASKED))
async def test_the_same_request_gets_the_same_response(
    client: Client, services: StandInServices, path: str
) -> None:
    """A second read is answered without the cache, to the byte and the header as the first."""
    first = await read(client, path)
    second = await read(client, path)

    assert content_of(second) == content_of(first)
    assert first.status_code == 200
    assert (len(services.cache.asked), services.versions.asked) == (1, 1)


@pytest.mark.parametrize("path", list(ASKED))
async def test_a_caller_with_the_response_gets_304(
    client: Client, services: StandInServices, path: str
) -> None:
    """With the ETag in If-None-Match both ways answer 304, with the same headers and no body."""
    etag = (await read(client, path)).headers["etag"]
    by_the_fast_path = await read(client, path, **{"If-None-Match": etag})
    services.cache.version += 1
    by_the_route = await read(client, path, **{"If-None-Match": f'W/"x", {etag}'})

    assert content_of(by_the_fast_path) == content_of(by_the_route)
    assert (by_the_fast_path.status_code, by_the_fast_path.content) == (304, b"")
    assert by_the_fast_path.headers["etag"] == etag
    assert by_the_fast_path.headers["age"] == "95"
    assert len(services.cache.asked) == 2


async def test_headers_keep_responses_private(client: Client) -> None:
    """A browser asks each time whether its copy still holds, and no shared cache keeps one."""
    for answer in (await read(client), await read(client)):
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization, X-User-Id"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not answer.headers["etag"].startswith("W/")


async def test_age_grows_while_the_response_stays(
    client: Client, services: StandInServices
) -> None:
    """As time passes Age grows, and neither the body nor its ETag changes."""
    first = await read(client)
    services.clock.time += timedelta(seconds=30)
    second = await read(client)

    assert (first.headers["age"], second.headers["age"]) == ("95", "125")
    assert (second.content, second.headers["etag"]) == (first.content, first.headers["etag"])


async def test_a_change_is_read_again(client: Client, services: StandInServices) -> None:
    """After any change of a possible response, the next read has it."""
    before = await read(client, SLOTS)
    services.cache.version += 1
    services.cache.slots = services.cache.slots[1:]
    after = await read(client, SLOTS)

    assert len(before.json()["slots"]) == 2
    assert len(after.json()["slots"]) == 1
    assert after.headers["etag"] != before.headers["etag"]


async def test_a_revoked_key_is_refused_at_once(client: Client, services: StandInServices) -> None:
    """A key that is revoked gets no remembered answer: the route is asked, and refuses."""
    await read(client)
    services.versions.revoked = True
    await read(client)

    assert len(services.cache.asked) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer other"},
        {"Authorization": "Basic " + scenario.API_KEY},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
    ],
)
async def test_no_other_caller_gets_a_response(client: Client, headers: dict[str, str]) -> None:
    """Another key, or none, never gets what was answered before."""
    await read(client)

    answer = await read(client, **headers)

    problem_in(answer, 401, "api_key_invalid")


async def test_another_user_gets_his_own(client: Client) -> None:
    """The same question for another user is another question."""
    await read(client)

    answer = await read(client, **{"X-User-Id": "grace"})

    problem_in(answer, 404, "integration_not_found")


async def test_a_header_that_comes_twice_goes_to_the_route(
    client: Client, services: StandInServices
) -> None:
    """The fast path does not choose between two users or keys in one request."""
    await read(client)
    for name, value in CALLER.items():
        headers = [*CALLER.items(), (name, value)]
        await client.get(f"{TYPES}?{ASKED[TYPES]}", headers=headers)

    assert services.versions.asked == 0


@pytest.mark.parametrize("freshness", [Freshness.STALE, Freshness.INVALIDATED, Freshness.EXPIRED])
async def test_what_is_not_fresh_is_read_each_time(
    client: Client, services: StandInServices, freshness: Freshness
) -> None:
    """An entry that is not fresh is read from the cache, and refreshed in the background."""
    services.cache.freshness = freshness
    for _ in range(3):
        assert (await read(client)).status_code == 200

    assert len(services.cache.asked) == 3


async def test_a_response_becomes_stale_by_itself(
    client: Client, services: StandInServices
) -> None:
    """At the time at which the response becomes `stale`, it is read again."""
    await read(client)
    services.clock.time += timedelta(minutes=59, seconds=59)
    await read(client)
    services.clock.time += timedelta(seconds=1)
    await read(client)

    assert len(services.cache.asked) == 2


async def test_no_response_is_older_than_max_age(
    client: Client, services: StandInServices
) -> None:
    """A reader with `max_age` gets no remembered answer that has grown older than that."""
    asked = f"{TYPES}?max_age=100"
    for seconds in (0, 4, 1):
        services.clock.time += timedelta(seconds=seconds)
        await client.get(asked, headers=CALLER)

    assert len(services.cache.asked) == 2


async def test_what_failed_is_tried_again(client: Client, services: StandInServices) -> None:
    """An answer that lacks what could not be fetched is not given again."""
    services.cache.error_code = "calendly_unavailable"
    for _ in range(2):
        await read(client)

    assert len(services.cache.asked) == 2


async def test_an_error_is_not_remembered(client: Client, services: StandInServices) -> None:
    """Only an answer of 200 is given again."""
    services.fail_next("read_event_types", CalendlyUnavailable("Calendly does not answer."))

    first, second = await read(client), await read(client)

    problem_in(first, 503, "calendly_unavailable")
    assert second.status_code == 200


async def test_without_a_database_nothing_is_sent(
    client: Client, services: StandInServices
) -> None:
    """A response that cannot be confirmed is not sent: the route reports the error."""
    await read(client)
    services.storage.down = True

    problem_in(await read(client), 503, "storage_unavailable")


async def test_after_an_outage_the_response_is_sent_again(
    client: Client, services: StandInServices
) -> None:
    """An outage takes no remembered answer away."""
    await read(client)
    services.storage.down = True
    await read(client)
    services.storage.down = False

    assert (await read(client)).status_code == 200
    assert len(services.cache.asked) == 1


@pytest.mark.parametrize(
    "asked",
    [f"{TYPES}?limit=6", f"{TYPES}?limit=5&", f"{TYPES}?limit=%35"],
)
async def test_another_spelling_is_another_request(
    client: Client, services: StandInServices, asked: str
) -> None:
    """Only the same letters get the same bytes; any other spelling is read by the route."""
    await read(client)

    assert (await client.get(asked, headers=CALLER)).status_code == 200
    assert len(services.cache.asked) == 2


async def test_head_has_the_headers_of_get(client: Client) -> None:
    """HEAD is answered as GET is, without the body (RFC 9110, 9.3.2)."""
    got = await read(client)

    head = await client.head(f"{TYPES}?{ASKED[TYPES]}", headers=CALLER)

    assert head.content == b""
    assert content_of(head)[1] == content_of(got)[1]


async def test_reads_are_counted_and_noted(client: Client, services: StandInServices) -> None:
    """A read without the cache is counted, and noted often enough to keep its entries warm."""
    await read(client)
    services.clock.time += timedelta(minutes=1)
    await read(client)
    noted_soon = len(services.usage.noted)
    services.clock.time += READ_MARK_INTERVAL
    await read(client)
    await read(client)

    assert services.telemetry.reads == [("event_types", "fresh")] * 3
    assert noted_soon == 0
    assert [each[1] for each in services.usage.noted] == [(("event_types", ""),)]


async def test_many_at_once_get_it(client: Client, services: StandInServices) -> None:
    """Readers who come together are all answered."""
    await read(client)

    answers = await asyncio.gather(*(read(client) for _ in range(20)))

    assert {each.status_code for each in answers} == {200}
    assert len(services.cache.asked) == 1


async def test_a_callers_request_id_is_repeated(client: Client) -> None:
    """The id of a request is in its answer, a new one for each that brings none."""
    await read(client)

    given = await read(client, **{"X-Request-Id": "trace-1"})
    new = [(await read(client)).headers["x-request-id"] for _ in range(2)]

    assert given.headers["x-request-id"] == "trace-1"
    assert len(set(new)) == 2


async def test_fast_responses_are_logged_at_debug_level(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A read on the fast path is a line at debug level, and none at info level."""
    with capture_logs() as log:
        await read(client)
        await read(client)
        caplog.set_level(logging.DEBUG, "slotkeeper.access")
        await read(client, **{"X-Request-Id": "trace-1"})

    assert [(each["log_level"], each["route"], each["status"]) for each in log] == [
        ("info", TYPES, 200),
        ("debug", TYPES, 200),
    ]
    assert log[1]["request_id"] == "trace-1"
