from uuid import UUID

import pytest

from domain.ids import UserId
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.scenario import API_KEY
from tests.adapters.web.serving import CALLER, Client, problem_in
from tests.fakes.clock import NOON

OPERATOR = {"Authorization": f"Bearer {API_KEY}"}


async def test_a_user_is_erased(client: Client, services: StandInServices) -> None:
    """A known and an unknown user are answered in the same way: 202 and the erasure's id."""
    async with services.kept() as uow:
        await uow.users.ensure("ada@example.com", UserId(UUID(int=1)), NOON)
        await uow.commit()

    known = await client.delete("/api/users/ada@example.com", headers=OPERATOR)
    unknown = await client.delete("/api/users/ada@example.com", headers=OPERATOR)

    assert (known.status_code, unknown.status_code) == (202, 202)
    assert known.json().keys() == unknown.json().keys() == {"id", "erased_at"}
    assert list(services.kept.state.users) == []


async def test_for_no_user(client: Client, services: StandInServices) -> None:
    """A call that names a user in X-User-Id as well is refused, and nothing is erased."""
    answer = await client.delete("/api/users/ada", headers=CALLER)

    problem_in(answer, 400, "invalid_input")
    assert services.kept.state.user_erasures == {}


@pytest.mark.parametrize("external_id", ["%20ada", "a" * 256])
async def test_no_id(client: Client, services: StandInServices, external_id: str) -> None:
    """A text that cannot be an id is 400, and nothing is recorded."""
    answer = await client.delete(f"/api/users/{external_id}", headers=OPERATOR)

    problem_in(answer, 400, "invalid_input")
    assert services.kept.state.user_erasures == {}
