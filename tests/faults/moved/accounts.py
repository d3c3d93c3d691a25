"""Connected accounts: made in bulk, and looked at all together."""

from datetime import timedelta
from typing import Any

from application.tokens.token_encryption import seal_pair
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Integration, Status
from domain.secret import Secret
from domain.token import TokenPair, parse_scopes
from tests.faults.moved.calendly import NAMED_USERS
from tests.faults.moved.stage import Stage

AT_ONCE = 500


class Accounts:
    """The integrations of one scenario.

    Attributes:
        ids: all of them, in the order they were connected.
        by_token: whose each first refresh token is.

    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.ids: list[IntegrationId] = []
        self.by_token: dict[str, IntegrationId] = {}

    async def connect(self, count: int) -> None:
        """Connect the sandbox's next users."""
        while count > 0:
            asked = {"offset": NAMED_USERS + len(self.ids), "count": min(count, AT_ONCE)}
            grants = (await self._stage.calendly.control("POST", "/grants", **asked))["grants"]
            await self._store([self._integration(grant) for grant in grants])
            count -= len(grants)

    async def all(self) -> list[Integration]:
        """Return them as they are stored."""
        found: list[Integration] = []
        for start in range(0, len(self.ids), AT_ONCE):
            async with self._stage.made.storage() as uow:
                for each in self.ids[start : start + AT_ONCE]:
                    integration = await uow.integrations.get(each)
                    assert integration is not None
                    found.append(integration)
        return found

    async def _store(self, integrations: list[Integration]) -> None:
        async with self._stage.made.storage() as uow:
            for each in integrations:
                await uow.users.ensure(each.account.email, each.user_id, each.connected_at)
                await uow.integrations.put_connected(each)
            await uow.commit()

    def _integration(self, grant: dict[str, Any]) -> Integration:
        made = self._stage.made
        integration_id = IntegrationId(made.randomness.new_id())
        now = made.clock.now()
        pair = TokenPair(
            access=Secret(grant["access_token"]),
            refresh=Secret(grant["refresh_token"]),
            expires_at=now + timedelta(seconds=grant["expires_in"]),
            scopes=parse_scopes(grant["scope"]),
            owner_uri=grant["owner"],
            organization_uri=grant["organization"],
        )
        self.ids.append(integration_id)
        self.by_token[grant["refresh_token"]] = integration_id
        return Integration(
            id=integration_id,
            user_id=UserId(made.randomness.new_id()),
            status=Status.ACTIVE,
            account=_account(grant),
            scopes=pair.scopes,
            connected_at=now,
            tokens=seal_pair(made.vault, integration_id, pair, version=1),
        )


def _account(grant: dict[str, Any]) -> Account:
    return Account(
        user_uri=grant["owner"],
        organization_uri=grant["organization"],
        name=grant["user"],
        email=grant["user"],
        timezone="Europe/Berlin",
        scheduling_url="https://calendly.com/somebody",
    )
