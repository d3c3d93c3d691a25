"""Store a token pair that an earlier attempt received and could not store."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from msgspec.structs import replace

from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.randomness import Randomness
from application.ports.storage.refresh_queue import RefreshEnd
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.unsaved_tokens import UnsavedTokenPair, UnsavedTokens
from application.ports.vault import Vault
from application.resilience.retry import RetryBudget, retry_until_stored
from application.resilience.shield import shield_until_done
from application.tokens.revoke import revoke_unused
from application.tokens.token_encryption import open_both
from domain.errors import SealedValueUnreadable
from domain.integration import Integration, Lease, Status, refreshed


class RecoverResult(StrEnum):
    STORED = "restored"
    KNOWN = "stored_already"
    REVOKED = "given_back"


@dataclass(frozen=True, kw_only=True)
class RecoverTokens:
    """Commits an unsaved pair as its own refresh would have done."""

    storage: Storage
    vault: Vault
    oauth: CalendlyOAuth
    randomness: Randomness
    telemetry: Telemetry

    async def run(self, pair: UnsavedTokenPair, unsaved_tokens: UnsavedTokens) -> RecoverResult:
        """Store the pair, no matter how long the store is down, and drop it from the unsaved tokens.

        A pair is revoked if its integration was erased or is being disconnected, because no other
        process knows it. A pair whose grant was replaced by a newer one is worthless.
        """
        budget = RetryBudget(seconds=None)
        storing = retry_until_stored(
            lambda: self._store(pair), randomness=self.randomness, budget=budget
        )
        result = await shield_until_done(asyncio.ensure_future(storing), budget)
        if result is RecoverResult.REVOKED:
            await self._revoke(pair)
        unsaved_tokens.drop(pair)
        return result

    async def _store(self, pair: UnsavedTokenPair) -> RecoverResult:
        async with self.storage() as uow:
            integration = await uow.integrations.get(pair.integration_id)
            if integration is None:
                return RecoverResult.REVOKED
            if _has(integration, pair):
                return RecoverResult.KNOWN
            changed = self._with_pair(integration, pair)
            end = RefreshEnd(changed, _no_lease(pair), expected_version=pair.replaces)
            (stored,) = await uow.refresh_queue.finish([end])
            await uow.commit()
        if stored:
            if integration.attention is not None:
                self.telemetry.integration_recovered(integration.id, integration.attention.cause)
            return RecoverResult.STORED
        # By version: who rotates the encryption key changes the sealed text of the same pair.
        newest = integration.tokens is not None and integration.tokens.version
        if integration.status is Status.DISCONNECTING and newest != pair.tokens.version:
            return RecoverResult.REVOKED
        return RecoverResult.KNOWN

    def _with_pair(self, integration: Integration, pair: UnsavedTokenPair) -> Integration:
        changed = refreshed(
            integration,
            pair.tokens,
            pair.exchanged_at,
            scopes=pair.scopes,
            organization_uri=pair.organization_uri,
        )
        # The grant that the pair belongs to; a newer one is not overwritten.
        return replace(changed, connected_at=pair.connected_at)

    async def _revoke(self, pair: UnsavedTokenPair) -> None:
        try:
            tokens = open_both(self.vault, pair.integration_id, pair.tokens)
        except SealedValueUnreadable:
            return
        await revoke_unused(self.oauth, tokens)


def _has(integration: Integration, pair: UnsavedTokenPair) -> bool:
    return integration.tokens is not None and integration.tokens == pair.tokens


def _no_lease(pair: UnsavedTokenPair) -> Lease:
    """A new pair is stored without the lease: the lease of its refresh has expired."""
    return Lease(owner="", fence=0, expires_at=pair.connected_at)
