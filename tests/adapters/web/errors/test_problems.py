from collections.abc import Iterator

import pytest

from adapters.web.errors.problem_table import PROBLEMS
from adapters.web.errors.problems import problem_of
from domain.errors import (
    CalendlyThrottled,
    CircuitOpen,
    ReauthRequired,
    ScopeMissing,
    ScopesDeclined,
    SignatureRejected,
    SlotkeeperError,
)
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

MARKER = "marker-s3cret"


def tree(root: type[SlotkeeperError] = SlotkeeperError) -> Iterator[type[SlotkeeperError]]:
    """Every error class of the domain."""
    yield root
    for each in root.__subclasses__():
        if each.__module__.startswith("domain."):
            yield from tree(each)


def made(error: type[SlotkeeperError]) -> SlotkeeperError:
    """Return an error of a class, with the arguments that the class asks for."""
    if issubclass(error, ScopesDeclined):
        return error("The message.", missing=("users:read",))
    if issubclass(error, ReauthRequired):
        return error("The message.", cause="grant_refused")
    if issubclass(error, SignatureRejected):
        return error("The message.", reason="stale")
    return error("The message.")


def test_every_error_class_has_a_status_of_its_own() -> None:
    """No class of the domain's error tree is answered by accident."""
    classes = set(tree())

    assert classes == set(PROBLEMS)
    assert len(classes) > 40


@pytest.mark.parametrize("error", list(tree()))
async def test_every_error_is_a_problem(
    client: Client, services: StandInServices, error: type[SlotkeeperError]
) -> None:
    """Each error that a use case raises is answered as problem details with its code and kind."""
    services.fail_next("view_integration", made(error))

    answer = await client.get("/api/calendly/integration", headers=CALLER)

    problem = problem_in(answer, PROBLEMS[error].status, error.code)
    assert problem["kind"] == error.kind
    assert problem["detail"] == "The message."
    assert ("retry-after" in answer.headers) == ("retry_after" in problem)
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) > 0


async def test_a_stated_wait_is_rounded_up(client: Client, services: StandInServices) -> None:
    """Retry-After is the error's own wait in whole seconds, never shorter than it."""
    services.fail_next("view_integration", CircuitOpen("Open.", retry_after=12.2))

    answer = await client.get("/api/calendly/integration", headers=CALLER)

    assert answer.headers["retry-after"] == "13"
    assert problem_in(answer, 503, "circuit_open")["retry_after"] == 13


async def test_throttling_says_when_to_come_back(
    client: Client, services: StandInServices
) -> None:
    """A spent rate limit is 429 with the wait that Calendly named."""
    services.fail_next("view_integration", CalendlyThrottled("Slow down.", retry_after=17))

    answer = await client.get("/api/calendly/integration", headers=CALLER)

    problem_in(answer, 429, "calendly_throttled")
    assert answer.headers["retry-after"] == "17"


def test_a_lost_grant_says_why_and_what_to_do() -> None:
    """A lost grant's problem names its cause and where to connect again."""
    problem = problem_of(ReauthRequired("Gone.", cause="refresh_outcome_lost"), "r1")

    assert problem.cause == "refresh_outcome_lost"
    assert problem.connect_path == "/api/calendly/connect"


def test_missing_scopes_are_listed() -> None:
    """Problems about scopes list them."""
    declined = problem_of(ScopesDeclined("Less.", missing=("webhooks:write",)), "r1")
    missing = problem_of(ScopeMissing("None.", required=("users:read",)), "r1")

    assert declined.missing_scopes == ("webhooks:write",)
    assert missing.required_scopes == ("users:read",)


async def test_an_unforeseen_error_says_nothing_of_itself(
    client: Client, services: StandInServices
) -> None:
    """An unexpected error is a 500 with a text of its own, not the error's."""
    services.fail_next("view_integration", RuntimeError(MARKER))

    answer = await client.get("/api/calendly/integration", headers=CALLER)

    problem_in(answer, 500, "internal")
    assert MARKER not in answer.text


async def test_an_unknown_address_is_not_found(client: Client) -> None:
    """An address without a route is a 404 problem that does not repeat it."""
    answer = await client.get(f"/nowhere/{MARKER}")

    problem_in(answer, 404, "not_found")
    assert MARKER not in answer.text


async def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    """A method that an address does not take is a 405 problem with Allow (RFC 9110)."""
    answer = await client.put("/api/calendly/integration", headers=CALLER)

    problem_in(answer, 405, "method_not_allowed")
    assert {"GET", "DELETE"} <= set(answer.headers["allow"].split(", "))


async def test_faulty_fields_are_named_without_their_values(client: Client) -> None:
    """A refused parameter is named with its place, and its value is not repeated."""
    answer = await client.get(
        "/api/calendly/bookings",
        headers=CALLER,
        params={"limit": 0, "status": MARKER},
    )

    problem = problem_in(answer, 400, "invalid_input")
    assert {each["field"] for each in problem["errors"]} >= {"limit", "status"}
    assert {each["location"] for each in problem["errors"]} == {"query"}
    assert MARKER not in answer.text


async def test_a_missing_parameter_is_named(client: Client) -> None:
    """A parameter that is not there is named as required."""
    answer = await client.get(
        "/api/calendly/availability",
        headers=CALLER,
        params={"start": "2026-12-02T00:00:00Z", "end": "2026-12-03T00:00:00Z"},
    )

    problem = problem_in(answer, 400, "invalid_input")
    assert problem["errors"] == [
        {"field": "event_type", "message": "is required", "location": "query"}
    ]


async def test_all_missing_parameters_are_named(client: Client) -> None:
    """Of several parameters that are not there, each is named once."""
    answer = await client.get("/api/calendly/availability", headers=CALLER)

    problem = problem_in(answer, 400, "invalid_input")
    assert [each["field"] for each in problem["errors"]] == ["event_type", "start", "end"]
    assert {each["message"] for each in problem["errors"]} == {"is required"}


@pytest.mark.parametrize(
    ("invitee", "field", "words"),
    [
        ({"email": MARKER}, "invitee.email", "an e-mail address, such as name@example.com"),
        ({"name": f"{MARKER}\nand"}, "invitee.name", "one line of text"),
    ],
)
async def test_a_text_of_the_wrong_form_is_explained_in_words(
    client: Client, invitee: dict[str, str], field: str, words: str
) -> None:
    """A text that does not fit is answered with what is expected, not with a regular expression."""
    body = {
        "event_type": "intro",
        "start": "2026-12-03T15:30:00Z",
        "invitee": {"name": "Grace", "email": "g@example.com", "timezone": "UTC", **invitee},
    }

    answer = await client.post(
        "/api/calendly/bookings", headers={**CALLER, "Idempotency-Key": "k1"}, json=body
    )

    (told,) = problem_in(answer, 400, "invalid_input")["errors"]
    assert told["field"] == field
    assert words in told["message"]
    assert "^" not in told["message"]
    assert MARKER not in answer.text


async def test_a_browser_gets_a_page(client: Client) -> None:
    """A person who goes astray sees a page with a way back; the API answers problems to all."""
    page = await client.get("/nowhere", headers={"Accept": "text/html"})
    problem = await client.get("/api/nowhere", headers={"Accept": "text/html"})

    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "not_found" in page.text
    assert page.headers["x-request-id"] in page.text
    problem_in(problem, 404, "not_found")


async def test_a_body_that_is_not_json_is_refused(client: Client) -> None:
    """A body that is not JSON is a 400 problem that names the fault, not the content."""
    answer = await client.post(
        "/api/calendly/bookings",
        headers={**CALLER, "Idempotency-Key": "k1", "Content-Type": "application/json"},
        content=b'{"event_type": ' + MARKER.encode(),
    )

    problem = problem_in(answer, 400, "invalid_input")
    assert problem["detail"] == "The request body is not valid JSON."
    assert MARKER not in answer.text


async def test_a_body_too_large_is_refused(client: Client, services: StandInServices) -> None:
    """A body over the API's limit is a 413 problem and reaches no use case."""
    answer = await client.post(
        "/api/calendly/bookings",
        headers={**CALLER, "Idempotency-Key": "k1", "Content-Type": "application/json"},
        content=b" " * (300 * 1024),
    )

    problem_in(answer, 413, "payload_too_large")
    assert services.bookings.acted == []
