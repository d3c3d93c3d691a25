"""The circuit breakers that all processes share: one per Calendly surface."""

from enum import StrEnum
from typing import Protocol

from domain.circuit_breaker import Breaker


class Surface(StrEnum):
    """A part of Calendly that fails on its own."""

    OAUTH = "oauth"
    API = "api"
    # Opens by refusals of many accounts, not by failures. Only refreshes wait for it.
    MASS_REFUSAL = "mass_refusal"


class Breakers(Protocol):
    """Shared breakers; one that was never stored is closed."""

    async def read(self, surface: Surface) -> Breaker:
        """Return the breaker as it is stored."""
        ...

    async def lock(self, surface: Surface) -> Breaker:
        """Return the breaker and keep others from changing it until the transaction ends."""
        ...

    async def put(self, surface: Surface, breaker: Breaker) -> None:
        """Store the breaker."""
        ...
