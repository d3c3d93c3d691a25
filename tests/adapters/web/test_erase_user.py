"""A user's erasure over the whole service, with the real store and the sandbox."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from domain.secret import Secret
from tests.adapters.web.real_edge import Edge, open_edge

USER = "person-0"
ADDRESS = f"/api/users/{USER}"


@pytest.fixture
async def edge(database_url: Secret, sandbox_url: str) -> AsyncIterator[Edge]:
    """The service, with two users who have a connected account."""
    async with open_edge(database_url, sandbox_url) as edge:
        await edge.connect(2)
        yield edge


async def stored(edge: Edge) -> dict[str, str]:
    """Return the content of every table as text."""
    async with edge.resources.storage() as uow:
        session = cast(Any, uow.users)._session
        tables = await session.rows(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_name <> 'migration'"
        )
        return {
            name: str(await session.rows(f"SELECT to_jsonb(t)::text FROM {name} t"))
            for (name,) in tables
        }


async def test_nothing_is_left(edge: Edge) -> None:
    """After the job no table holds the user's id, their account or their address."""
    integration = (await edge.get("integration")).json()
    other = (await edge.get("integration", "person-1")).json()
    account = integration["account"]
    assert (await edge.get("event-types")).status_code == 200
    key = {"Authorization": f"Bearer {edge.key}"}

    answer = await edge.client.delete(ADDRESS, headers=key)

    assert answer.status_code == 202
    assert (await edge.get("integration")).json()["code"] == "integration_not_found"
    assert (await edge.get("event-types")).json()["code"] == "integration_not_found"
    await edge.services.finish_disconnect(integration["id"], forced=False)
    text = str(await stored(edge))
    traces = (USER, integration["id"], account["email"], account["user_uri"])
    assert [each for each in traces if each in text] == []
    assert other["id"] in text
    assert (await edge.get("integration", "person-1")).status_code == 200


async def test_no_oracle(edge: Edge) -> None:
    """A user with an account, one who is gone and one who never was are answered alike."""
    key = {"Authorization": f"Bearer {edge.key}"}
    paths = (ADDRESS, ADDRESS, "/api/users/never-seen")
    answers = [await edge.client.delete(path, headers=key) for path in paths]

    assert [each.status_code for each in answers] == [202] * 3
    assert [sorted(each.json()) for each in answers] == [["erased_at", "id"]] * 3
    assert [sorted(each.headers) for each in answers] == [sorted(answers[0].headers)] * 3
