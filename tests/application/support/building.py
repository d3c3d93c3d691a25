"""The parts that all processes of the product share, as fakes, and the steps that arrange them."""

from application.tokens.token_encryption import seal_pair
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, Status
from tests.application.support.crashing import CrashingCalendly, CrashingStorage, Steps
from tests.application.support.recording import AwaitedBackground, RecordedTelemetry
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault


class Product:
    """The state that all processes share; tests arrange it and look at it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.randomness = FakeRandomness()
        self.vault = FakeVault()
        self.steps = Steps()
        self.storage = CrashingStorage(self.steps)
        self.calendly = CrashingCalendly(self.clock, self.steps)
        self.jobs = FakeJobs()
        self.background = AwaitedBackground()
        self.telemetry = RecordedTelemetry()

    async def user(self, external_id: str = "ada") -> UserId:
        """Return the user with the team's own id."""
        async with self.storage() as uow:
            user_id = await uow.users.ensure(
                external_id, UserId(self.randomness.new_id()), self.clock.now()
            )
            await uow.commit()
        return user_id

    async def connect(self, external_id: str = "ada") -> Integration:
        """Return the integration of a user who connected an account of their own just now."""
        user_id = await self.user(external_id)
        account = self.calendly.add_user()
        pair = self.calendly.grant(account.user_uri)
        integration_id = IntegrationId(self.randomness.new_id())
        integration = Integration(
            id=integration_id,
            user_id=user_id,
            status=Status.ACTIVE,
            account=account,
            scopes=pair.scopes,
            connected_at=self.clock.now(),
            tokens=seal_pair(self.vault, integration_id, pair, version=1),
        )
        async with self.storage() as uow:
            await uow.integrations.put_connected(integration)
            await uow.commit()
        return integration

    async def stored(self, integration_id: IntegrationId) -> Integration:
        """Return the integration as it is stored now."""
        async with self.storage() as uow:
            found = await uow.integrations.get(integration_id)
        assert found is not None
        return found

    async def mark_disconnecting(self, integration_id: IntegrationId) -> None:
        """Do what RequestDisconnect does to the row."""
        async with self.storage() as uow:
            await uow.integrations.mark_disconnecting(integration_id)
            await uow.commit()
