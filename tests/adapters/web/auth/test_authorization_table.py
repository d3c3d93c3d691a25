"""Each operation with each kind of caller: the cells of the table, over the real store."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

import httpx
import pytest

from domain.api_key import KeyScope
from tests.adapters.sound_environ import SOUND
from tests.adapters.web.real_edge import Edge

_DOCUMENT = json.loads(
    (Path(__file__).parents[1] / "openapi" / "openapi.json").read_text(encoding="utf-8")
)
READ = frozenset({KeyScope.APP, KeyScope.READ})
APP = frozenset({KeyScope.APP})
OPERATOR = frozenset({KeyScope.OPERATOR})
ERASE = frozenset({KeyScope.ERASE})
CRON = None
PUBLIC = "public"

NEEDS: dict[str, Any] = {
    "getAvailability": READ,
    "invalidateAvailability": APP,
    "listBookings": READ,
    "createBooking": APP,
    "getBooking": READ,
    "cancelBooking": APP,
    "clearNoShow": APP,
    "markNoShow": APP,
    "listBusyTimes": READ,
    "completeConnect": PUBLIC,
    "confirmConnect": APP,
    "connect": APP,
    "listEventTypes": READ,
    "deleteIntegration": APP,
    "getIntegration": READ,
    "refreshIntegration": APP,
    "listSchedules": READ,
    "createSchedulingLink": APP,
    "receiveAppWebhook": PUBLIC,
    "receiveWebhook": PUBLIC,
    "getRefreshCalendlyTokens": CRON,
    "refreshCalendlyTokens": CRON,
    "getSyncCalendlyAvailability": CRON,
    "syncCalendlyAvailability": CRON,
    "eraseInvitee": ERASE,
    "listAudit": OPERATOR,
    "eraseUser": ERASE,
    "listWebhookEvents": OPERATOR,
    "replayDeadLetters": OPERATOR,
    "getWebhookEvent": OPERATOR,
    "replayWebhookEvent": OPERATOR,
    "getLiveness": PUBLIC,
    "getReadiness": PUBLIC,
}
"""A key must have one of these scopes; CRON: the cron secret alone; PUBLIC: no key at all."""

ID = UUID(int=1)
DAY = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
QUERIES = {
    "getAvailability": {
        "event_type": "intro",
        "start": DAY.isoformat(),
        "end": (DAY + timedelta(days=1)).isoformat(),
    },
    "listBusyTimes": {"start": DAY.isoformat(), "end": (DAY + timedelta(days=1)).isoformat()},
}
BODIES = {
    "createBooking": {
        "event_type": "intro",
        "start": DAY.isoformat(),
        "invitee": {"name": "Iris", "email": "iris@example.net", "timezone": "UTC"},
    },
    "cancelBooking": {"reason": "ill"},
    "confirmConnect": {"handle": "x" * 43},
    "createSchedulingLink": {"event_type": "intro"},
    "eraseInvitee": {"email": "iris@example.net"},
}


class Operation(NamedTuple):
    """One operation of the document."""

    id: str
    method: str
    path: str

    @property
    def is_for_user(self) -> bool:
        """Whether it needs X-User-Id."""
        return NEEDS[self.id] in (READ, APP)


def operations() -> Iterator[Operation]:
    """Return all operations of the OpenAPI document."""
    for path, methods in _DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield Operation(operation["operationId"], method.upper(), path)


OPERATIONS = list(operations())
KEYED = [each for each in OPERATIONS if isinstance(NEEDS.get(each.id), frozenset)]


class Keys(NamedTuple):
    """A key of each kind."""

    scoped: dict[KeyScope, str]
    expired: str
    revoked: str
    elsewhere: str


@pytest.fixture
async def keys(edge: Edge) -> Keys:
    """Keys of all kinds."""
    manage = edge.services.manage_api_keys
    scoped = {
        scope: (await manage.create(scope, scopes=frozenset({scope})))[1].reveal()
        for scope in KeyScope
    }
    _, expired = await manage.create("expired", lifetime=-timedelta(seconds=1))
    record, revoked = await manage.create("revoked")
    await manage.revoke(record.id)
    _, elsewhere = await manage.create("elsewhere", networks=("203.0.113.0/24",))
    return Keys(scoped, expired.reveal(), revoked.reveal(), elsewhere.reveal())


async def call(
    edge: Edge, operation: Operation, key: str | None, user: str | None = "person-0"
) -> httpx.Response:
    """Send a request that only its key may make wrong."""
    path = operation.path.format(
        booking_id=ID, event_id=ID, subscription_key="x" * 43, external_id="stranger"
    )
    headers = {"Idempotency-Key": f"table-{operation.id}-{key}-{user}"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    if user is not None and operation.is_for_user:
        headers["X-User-Id"] = user
    body = BODIES.get(operation.id)
    return await edge.client.request(
        operation.method, path, headers=headers, params=QUERIES.get(operation.id), json=body
    )


def code(answer: httpx.Response) -> str:
    """Return the code of a refusal by the key, or an empty text."""
    if answer.status_code not in {401, 403}:
        return ""
    found: str = answer.json()["code"]
    return found


def test_each_operation_is_declared() -> None:
    """An operation that is new to the document has its row in the table."""
    assert {each.id for each in OPERATIONS} == set(NEEDS)


@pytest.mark.parametrize("operation", KEYED, ids=lambda each: each.id)
def test_the_document_names_the_scopes(operation: Operation) -> None:
    """The document lists each scope that is enough as an alternative."""
    security = _DOCUMENT["paths"][operation.path][operation.method.lower()]["security"]

    roles = [role for each in security for (role,) in each.values()]
    assert sorted(roles) == sorted(NEEDS[operation.id])


@pytest.mark.parametrize("operation", KEYED, ids=lambda each: each.id)
async def test_the_cells_of_an_operation(edge: Edge, keys: Keys, operation: Operation) -> None:
    """Without a good key 401; with one that lacks the scope 403; otherwise neither."""
    needs: frozenset[KeyScope] = NEEDS[operation.id]
    seen = {
        "none": code(await call(edge, operation, None)),
        "wrong": code(await call(edge, operation, "sk_wrong")),
        "cron": code(await call(edge, operation, SOUND["CRON_SECRET"])),
        "expired": code(await call(edge, operation, keys.expired)),
        "revoked": code(await call(edge, operation, keys.revoked)),
        "elsewhere": code(await call(edge, operation, keys.elsewhere)),
        # The account is connected: the scope that may disconnect it comes last.
        **{
            str(scope): code(await call(edge, operation, keys.scoped[scope]))
            for scope in sorted(KeyScope, key=lambda each: each in needs)
        },
    }

    refused = dict.fromkeys(("none", "wrong", "cron", "expired", "revoked"), "api_key_invalid")
    assert seen == {
        **refused,
        "elsewhere": "key_network_refused",
        **{str(scope): "" if scope in needs else "key_scope_missing" for scope in KeyScope},
    }


@pytest.mark.parametrize("operation", KEYED, ids=lambda each: each.id)
async def test_another_user_sees_nothing(edge: Edge, keys: Keys, operation: Operation) -> None:
    """For a user without an account there is no answer about another user, and no row."""
    if not operation.is_for_user:
        pytest.skip("not for one user")
    (account,), users = await _rows(edge)

    answer = await call(edge, operation, keys.scoped[KeyScope.APP], user="stranger")

    assert answer.status_code < 500
    assert account not in answer.text
    assert "person-0" not in answer.text
    assert await _rows(edge) == ([account], users + (operation.id == "connect"))


@pytest.mark.parametrize("operation", KEYED, ids=lambda each: each.id)
async def test_a_key_without_a_user_is_no_operator(
    edge: Edge, keys: Keys, operation: Operation
) -> None:
    """A user's operation without X-User-Id is 400; an operator's refuses a key for users."""
    answer = await call(edge, operation, keys.scoped[KeyScope.APP], user=None)

    expected = (400, "invalid_input") if operation.is_for_user else (403, "key_scope_missing")
    assert (answer.status_code, answer.json()["code"]) == expected


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if NEEDS.get(each.id) is CRON],
    ids=lambda each: each.id,
)
async def test_no_key_runs_a_job(edge: Edge, keys: Keys, operation: Operation) -> None:
    """Only the cron secret starts a job over HTTP."""
    for key in (None, "wrong", *keys.scoped.values()):
        answer = await call(edge, operation, key)
        assert (answer.status_code, answer.json()["code"]) == (401, "cron_secret_invalid")
    assert (await call(edge, operation, SOUND["CRON_SECRET"])).status_code not in {401, 403}


async def _rows(edge: Edge) -> tuple[list[str], int]:
    """Return the Calendly accounts, and the number of users."""
    async with edge.resources.storage() as uow:
        session = cast(Any, uow.users)._session
        accounts = await session.rows("SELECT account_uri FROM calendly_integration")
        (users,) = await session.rows("SELECT count(*) FROM app_user")
    return [each[0] for each in accounts], users[0]
