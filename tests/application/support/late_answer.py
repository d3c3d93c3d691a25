"""A process whose line to Calendly's OAuth host is so slow that other processes are faster."""

import asyncio
from datetime import timedelta

from application.tokens.refresh_under_lease import RefreshUnderLease
from domain.refusal import RefusalPolicy
from domain.secret import Secret
from domain.token import TokenPair
from tests.application.support.building import Product
from tests.application.support.process import BREAKER, LEASE, Process
from tests.fakes.calendly.fake_calendly import FakeCalendly


class LateAnswer(FakeCalendly):
    """Calendly, processing each refresh immediately while its answer waits for `release`."""

    def __init__(self, product: Product) -> None:
        super().__init__(product.clock)
        self._calendly = product.calendly
        self._released = asyncio.Event()
        self.processed = asyncio.Event()

    def release(self) -> None:
        """Let answers through."""
        self._released.set()

    async def refresh(self, refresh: Secret, *, user_uri: str) -> TokenPair:
        """Rotate the token immediately, and answer late."""
        pair = await self._calendly.refresh(refresh, user_uri=user_uri)
        self.processed.set()
        await self._released.wait()
        return pair

    async def revoke(self, token: Secret) -> None:
        """Revoke."""
        await self._calendly.revoke(token)


def slow_refresh(
    product: Product, line: LateAnswer, lease_ttl: timedelta = LEASE
) -> RefreshUnderLease:
    """Return the exchange of a process on that line."""
    return RefreshUnderLease(
        storage=product.storage,
        vault=product.vault,
        oauth=line,
        circuit_breakers=Process(product, "slow").circuit_breakers,
        background=product.background,
        clock=product.clock,
        randomness=product.randomness,
        telemetry=product.telemetry,
        breaker_policy=BREAKER,
        lease_ttl=lease_ttl,
        refusals=RefusalPolicy(),
        brake=BREAKER,
        doubt=timedelta(),
    )
