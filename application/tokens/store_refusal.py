"""Store a refusal of a grant, or hold it back when too many accounts are refused.

Both are decided in one transaction under the lock of the shared brake. So processes that are
refused at the same moment count each other.
"""

from typing import NamedTuple

from msgspec.structs import replace

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.refresh_queue import RefreshEnd
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.telemetry import Telemetry
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.retry import RetryBudget, retry_until_stored
from domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState, failed
from domain.errors import GrantRefused
from domain.integration import Integration, Lease, Status, refused, sealed_tokens, with_error
from domain.refusal import REFUSAL_WINDOW, RefusalPolicy, ask_again_in, is_mass_refusal


class StoredRefusal(NamedTuple):
    """A stored refusal.

    Args:
        integration: as it is stored now.
        held_back: the brake is on: the integration stays as it was, and no user is informed.

    """

    integration: Integration
    held_back: bool


class StoreRefusal:
    def __init__(
        self,
        *,
        storage: Storage,
        circuit_breakers: CircuitBreakers,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        brake: BreakerPolicy,
        policy: RefusalPolicy,
    ) -> None:
        self._storage = storage
        self._circuit_breakers = circuit_breakers
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry
        # One mass refusal opens the brake: the counting is done before.
        self._brake = replace(brake, threshold=1)
        self._policy = policy

    async def run(
        self, integration: Integration, lease: Lease, error: GrantRefused
    ) -> StoredRefusal | None:
        """Store what the refusal means.

        Args:
            integration: as it was read with its lease.
            lease: freed by this.
            error: the refusal.

        Returns:
            None if another change came first, or an earlier attempt was stored after all.

        Raises:
            StorageUnavailable: the store was down for too long; nothing is stored.

        """
        stored, before, after = await retry_until_stored(
            lambda: self._attempt(integration, lease, error),
            randomness=self._randomness,
            budget=RetryBudget(),
        )
        if stored is None:
            return None
        self._circuit_breakers.note_change(Surface.MASS_REFUSAL, before, after)
        attention = stored.integration.attention
        if not stored.held_back and attention and integration.status is Status.ACTIVE:
            self._telemetry.reauth_required(integration.id, attention.cause)
        return stored

    async def _attempt(
        self, integration: Integration, lease: Lease, error: GrantRefused
    ) -> tuple[StoredRefusal | None, Breaker, Breaker]:
        async with self._storage() as uow:
            before = await uow.breakers.lock(Surface.MASS_REFUSAL)
            after = await self._judge(uow, integration, before)
            held_back = after.state is not BreakerState.CLOSED
            end = self._end(integration, lease, error, held_back=held_back)
            (stored,) = await uow.refresh_queue.finish([end])
            if not stored:
                return None, before, before
            if after != before:
                await uow.breakers.put(Surface.MASS_REFUSAL, after)
            await uow.commit()
        return StoredRefusal(end.integration, held_back), before, after

    async def _judge(self, uow: UnitOfWork, integration: Integration, brake: Breaker) -> Breaker:
        """Return the brake after this refusal."""
        if brake.state is BreakerState.CLOSED and not await self._is_mass(uow, integration):
            return brake
        chance = self._randomness.fraction()
        return failed(brake, self._clock.now(), self._brake, chance, str(integration.id))

    async def _is_mass(self, uow: UnitOfWork, integration: Integration) -> bool:
        # A lost answer explains a refusal, and so does an earlier one.
        explained = integration.exchange_started_at is not None
        if explained or integration.status is not Status.ACTIVE:
            return False
        since = self._clock.now() - REFUSAL_WINDOW
        return is_mass_refusal(await uow.refresh_queue.recent_outcomes(integration, since))

    def _end(
        self, integration: Integration, lease: Lease, error: GrantRefused, *, held_back: bool
    ) -> RefreshEnd:
        now, version = self._clock.now(), sealed_tokens(integration).version
        if held_back:
            # The next probe is another account's: one dead grant must not delay all others.
            later = ask_again_in(1, self._policy) or REFUSAL_WINDOW
            kept = replace(integration, refused_at=integration.refused_at or now)
            kept = with_error(kept, Surface.MASS_REFUSAL, now)
            return RefreshEnd(kept, lease, version, now + later)
        wait = ask_again_in(integration.refusals + 1, self._policy)
        changed = refused(integration, now, code=error.code, erase=wait is None)
        return RefreshEnd(changed, lease, version, now + wait if wait else None)
