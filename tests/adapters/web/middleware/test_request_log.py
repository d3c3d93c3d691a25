from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from structlog.testing import LogCapture

from adapters.web.errors.problem_table import PROBLEMS
from domain.errors import SlotkeeperError
from tests.adapters.web import scenario
from tests.adapters.web.fakes import KEY_ID, StandInServices
from tests.adapters.web.scenario import API_KEY
from tests.adapters.web.serving import CALLER, Client, serving, settings_with


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Every log entry of the test, before any rendering or redaction."""
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture.entries
    structlog.reset_defaults()


async def test_each_request_is_one_line(client: Client, log: list[Any]) -> None:
    """A request is logged once, by its route's template, with status and error code."""
    await client.get("/api/calendly/bookings/00000000-0000-0000-0000-000000000001", headers=CALLER)

    (entry,) = log
    assert entry["event"] == "request"
    assert entry["method"] == "GET"
    assert entry["route"] == "/api/calendly/bookings/{booking_id}"
    assert entry["status"] == 404
    assert entry["error_code"] == "booking_not_found"
    assert entry["duration_ms"] >= 0


async def test_a_line_names_its_integration(
    client: Client, services: StandInServices, log: list[Any]
) -> None:
    """Once the integration is known each line names it, and the next request's does not."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()

    await client.get("/api/calendly/integration", headers=CALLER)
    await client.get("/health/ready")
    await client.post(f"/api/calendly/webhooks/{scenario.INTEGRATION.hex}-x", content=b"{}")

    assert [each.get("integration_id") for each in log if each["log_level"] != "debug"] == [
        str(scenario.INTEGRATION),
        str(scenario.INTEGRATION),
    ]
    assert "integration_id" not in next(each for each in log if each["log_level"] == "debug")


async def test_a_callers_request_id_is_kept(client: Client, log: list[Any]) -> None:
    """A request id that is harmless to repeat is kept, in the answer and in the log."""
    answer = await client.get("/nowhere", headers={"X-Request-Id": "trace-1.a_B"})

    assert answer.headers["x-request-id"] == "trace-1.a_B"
    assert log[0]["request_id"] == "trace-1.a_B"
    assert log[0]["route"] == "unmatched"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", 'a"b'])
async def test_another_request_id_is_replaced(client: Client, given: str) -> None:
    """A request id of another form is replaced by a new one."""
    answer = await client.get("/health/live", headers={"X-Request-Id": given})

    assert len(answer.headers["x-request-id"]) == 32


async def test_secrets_of_a_request_are_not_logged(client: Client, log: list[Any]) -> None:
    """Neither query, nor headers, nor cookies, nor the path of a delivery are in the log."""
    params = {"state": "st4te", "code": "g0od"}
    await client.get("/api/calendly/callback", params=params, headers=CALLER)
    client.cookies.set("slotkeeper_connect", "c00kie")
    await client.get("/api/calendly/callback", params=params)
    await client.post("/api/calendly/webhooks/subscr1ption", content=b"b0dy")

    written = repr(log)
    assert len(log) == 3
    for secret in ("st4te", "g0od", "c00kie", "subscr1ption", "b0dy", API_KEY):
        assert secret not in written


async def test_an_unforeseen_error_is_logged_once(
    client: Client, services: StandInServices, log: list[Any]
) -> None:
    """An unexpected error is logged with its traceback, under the request's id."""
    services.fail_next("view_integration", RuntimeError("boom"))

    answer = await client.get("/api/calendly/integration", headers=CALLER)

    first, second = log
    assert (first["event"], first["log_level"]) == ("unhandled_error", "error")
    assert isinstance(first["exc_info"], RuntimeError)
    assert second["error_code"] == "internal"
    assert {each["request_id"] for each in log} == {answer.headers["x-request-id"]}


FAILURES = [each for each, row in PROBLEMS.items() if row.status >= 500]


@pytest.mark.parametrize("kind", FAILURES, ids=lambda each: each.code)
async def test_each_failure_of_ours_has_an_error_line_with_its_cause(
    client: Client, services: StandInServices, log: list[Any], kind: type[SlotkeeperError]
) -> None:
    """The line of an answer of 5xx names the cause; the answer has only the remedy."""
    services.fail_next("view_integration", kind("Wait.", diagnosis="DriverError, table t"))

    answer = await client.get("/api/calendly/integration", headers=CALLER)

    (line,) = log
    assert answer.status_code == PROBLEMS[kind].status
    assert (line["log_level"], line["error_code"]) == ("error", kind.code)
    assert line["error_cause"] == "Wait. (DriverError, table t)"
    assert "DriverError" not in answer.text


async def test_a_line_names_the_caller(client: Client, log: list[Any]) -> None:
    """The key and the user are named by their public ids, and the client by its address."""
    await client.get("/api/calendly/bookings", headers=CALLER)
    await client.get("/api/calendly/bookings")

    known, unknown = log
    assert known["key_id"] == str(KEY_ID)
    assert str(UUID(known["user_id"])) == known["user_id"]
    assert known["client"] == unknown["client"] == "testclient"
    assert not {"key_id", "user_id"} & unknown.keys()


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/api/calendly/integration"])
async def test_every_answer_has_security_headers(client: Client, path: str) -> None:
    """No answer may be sniffed, framed, or named to other sites; API answers load nothing."""
    answer = await client.get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("https://slots.example.com", "max-age=31536000"), ("http://127.0.0.1:8000", None)],
)
async def test_a_browser_stays_with_https(public_url: str, expected: str | None) -> None:
    """With an https PUBLIC_URL each answer has HSTS, a refusal before routing too (RFC 6797)."""
    services = StandInServices(settings_with(PUBLIC_URL=public_url))
    async with serving(services) as client:
        answers = [await client.get(path) for path in ("/health/live", "/nowhere", "//nowhere")]

    assert [each.headers.get("strict-transport-security") for each in answers] == [expected] * 3
