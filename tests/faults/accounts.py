"""Connected accounts, put straight into the database, and the truth about them afterwards.

Calendly's word decides: an account is lost when what the service holds is not what Calendly
would honour.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.tokens.token_encryption import open_refresh, seal_pair
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Integration, Status
from domain.secret import Secret
from domain.token import TokenPair, parse_scopes
from tests.faults.calendly import TokenState
from tests.faults.rig import Rig

_CLOCK, _ENTROPY = SystemClock(), SystemRandomness()


class Connected(msgspec.Struct, frozen=True):
    """An account as it was connected; the first refresh token names its grant at Calendly."""

    id: IntegrationId
    first_refresh: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """The state of an account in the service, and the same account as Calendly knows it.

    Args:
        id: of the integration.
        integration: as it is stored.
        grant: how the grant fared.
        held: what the stored refresh token is worth; None when none is stored.

    """

    id: IntegrationId
    integration: Integration
    grant: TokenState
    held: TokenState | None

    @property
    def lost(self) -> bool:
        """Whether the service has no token that Calendly honours."""
        return self.held is None or not self.held.honoured

    @property
    def kept(self) -> bool:
        """Whether it is active with a pair that Calendly honours."""
        return self.integration.status is Status.ACTIVE and not self.lost

    @property
    def labelled(self) -> str | None:
        """Why a person is needed, as the service says."""
        attention = self.integration.attention
        return None if attention is None else str(attention.cause)


async def connect(
    rig: Rig,
    count: int,
    *,
    expires_in: timedelta,
    apart: timedelta = timedelta(),
    of_known_client: bool = True,
) -> list[Connected]:
    """Open grants at Calendly and store them as connected accounts.

    Args:
        rig: where.
        count: how many.
        expires_in: when the first access token dies, as the service believes.
        apart: how much later each next one does.
        of_known_client: whether the rows say which client the grants are of.

    """
    grants = await rig.calendly.grants(count)
    made = []
    async with rig.storage() as uow:
        for number, grant in enumerate(grants):
            user = await uow.users.ensure(
                f"person-{number}", UserId(_ENTROPY.new_id()), _CLOCK.now()
            )
            new = _integration(rig, user, grant, expires_in + number * apart)
            if not of_known_client:
                new = msgspec.structs.replace(new, client_id=None)
            await uow.integrations.put_connected(new)
            made.append(Connected(id=new.id, first_refresh=grant["refresh_token"]))
        await uow.commit()
    return made


async def verdicts(rig: Rig, accounts: Sequence[Connected]) -> list[Verdict]:
    """Return the truth about the accounts, in their order."""
    stored = []
    async with rig.storage() as uow:
        for account in accounts:
            found = await uow.integrations.get(account.id)
            if found is None:
                raise LookupError(f"integration {account.id} is gone")
            stored.append(found)
    grants = await rig.calendly.versions([each.first_refresh for each in accounts])
    holding = [each for each in stored if each.status is Status.ACTIVE]
    tokens = [open_refresh(rig.vault, each).reveal() for each in holding]
    held = dict(
        zip((each.id for each in holding), await rig.calendly.versions(tokens), strict=True)
    )
    return [
        Verdict(id=each.id, integration=each, grant=grant, held=held.get(each.id))
        for each, grant in zip(stored, grants, strict=True)
    ]


def _integration(
    rig: Rig, user: UserId, grant: dict[str, Any], expires_in: timedelta
) -> Integration:
    now, integration_id = _CLOCK.now(), IntegrationId(_ENTROPY.new_id())
    pair = TokenPair(
        access=Secret(grant["access_token"]),
        refresh=Secret(grant["refresh_token"]),
        expires_at=now + expires_in,
        scopes=parse_scopes(grant["scope"]),
        owner_uri=grant["owner"],
        organization_uri=grant["organization"],
    )
    account = Account(
        user_uri=pair.owner_uri,
        organization_uri=pair.organization_uri,
        name=grant["user"],
        email=grant["user"],
        timezone="Europe/Berlin",
        scheduling_url="https://calendly.com/somebody",
    )
    return Integration(
        id=integration_id,
        user_id=user,
        status=Status.ACTIVE,
        account=account,
        scopes=pair.scopes,
        connected_at=now,
        tokens=seal_pair(rig.vault, integration_id, pair, version=1),
        client_id=rig.environ["CALENDLY_CLIENT_ID"],
    )
