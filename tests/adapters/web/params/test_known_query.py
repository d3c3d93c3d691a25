"""Each operation refuses a query parameter that it does not have, and changes nothing."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.adapters.sound_environ import SOUND
from tests.adapters.web.real_edge import Edge
from tests.table_sizes import table_sizes

_DOCUMENT = json.loads(
    (Path(__file__).parents[1] / "openapi" / "openapi.json").read_text(encoding="utf-8")
)
OPERATIONS = [
    (operation["operationId"], method.upper(), path, operation)
    for path, methods in _DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
OTHERS_DECIDE = {"completeConnect", "receiveAppWebhook", "receiveWebhook"}
"""Operations whose query another service writes."""

STRICT = [each for each in OPERATIONS if each[0] not in OTHERS_DECIDE]


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [each[1:] for each in STRICT],
    ids=[each[0] for each in STRICT],
)
async def test_an_unknown_parameter_is_named(
    edge: Edge, method: str, path: str, operation: dict[str, Any]
) -> None:
    """The answer is 400 and names the parameter and those that exist; no table changes."""
    schemes = {name for each in operation.get("security", ()) for name in each}
    headers = {"Idempotency-Key": "known-query"}
    if schemes:
        key = SOUND["CRON_SECRET"] if "cron_secret" in schemes else edge.key
        headers["Authorization"] = f"Bearer {key}"
    if "api_key" in schemes:
        headers["X-User-Id"] = "person-0"
    before = await table_sizes(edge.resources.storage)

    answer = await edge.client.request(
        method,
        path.format(booking_id=UUID(int=1), event_id=UUID(int=1), external_id="ada"),
        headers=headers,
        params={"reasn": "x", "a b<": "y"},
    )

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "invalid_input")
    named = {each["field"]: each["message"] for each in problem["errors"]}
    assert named.keys() >= {"reasn", "query"}
    known = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    assert all(name in named["reasn"] for name in known)
    assert "<" not in answer.text
    assert await table_sizes(edge.resources.storage) == before


@pytest.mark.parametrize("value", ["a%00b", "a%0Ab", "%7f", "%C2%85", "%E2%80%A8", "x" * 4097])
@pytest.mark.parametrize(
    "path",
    ["bookings?cursor=", "event-types?cursor=", "connect?return_to=", "bookings?status="],
)
async def test_a_value_is_one_line_of_text(edge: Edge, path: str, value: str) -> None:
    """A control character or a huge value is 400 and named, for each parameter."""
    headers = {"Authorization": f"Bearer {edge.key}", "X-User-Id": "person-0"}

    answer = await edge.client.get(f"/api/calendly/{path}{value}", headers=headers)

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [path[path.index("?") + 1 : -1]]


async def test_an_unknown_caller_learns_nothing(edge: Edge) -> None:
    """Without a key the answer is 401, whatever the query."""
    answer = await edge.client.get("/api/calendly/bookings", params={"reasn": "x"})

    assert answer.status_code == 401


async def test_a_cached_read_takes_no_other_parameter(edge: Edge) -> None:
    """A response that is cached is not given for a request with a parameter more."""
    path = "/api/calendly/event-types"
    headers = {"Authorization": f"Bearer {edge.key}", "X-User-Id": "person-0"}
    for _ in range(3):
        assert (await edge.client.get(path, headers=headers)).status_code in {200, 503}

    answer = await edge.client.get(path, headers=headers, params={"limitt": "1"})

    assert answer.status_code == 400


async def test_a_query_of_another_service_is_accepted(edge: Edge) -> None:
    """The OAuth callback and the webhooks take parameters that they do not know."""
    callback = await edge.client.get("/api/calendly/callback?state=x&session_state=y&iss=z")
    delivery = await edge.client.post("/api/calendly/webhooks?tenant=1", content=b"{}")

    assert callback.json()["code"] == "connect_state_invalid"
    assert delivery.json()["code"] == "signature_rejected"
