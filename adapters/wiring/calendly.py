"""Calendly as all flows share it: one budget, one set of breakers, one refresher."""

from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from adapters.calendly.api import CalendlyApi
from adapters.calendly.oauth import CalendlyOAuthGateway
from adapters.calendly.rate_budget import RateBudget
from adapters.settings import Settings
from adapters.wiring.resources import Resources
from application.resilience.circuit_breakers import CircuitBreakers
from application.tokens.calendly_session import CalendlySession
from application.tokens.exchange_tokens import ExchangeTokens
from application.tokens.refresh_tokens import RefreshTokens
from domain.backoff import RetryPolicy
from domain.circuit_breaker import BreakerPolicy
from domain.retries import RetryTable

# One integration is refreshed every hour or two: what failed a day ago still counts.
REFRESHES_COUNT_FOR = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Calendly:
    """What reaches Calendly; made once a process."""

    oauth: CalendlyOAuthGateway
    api: CalendlyApi
    circuit_breakers: CircuitBreakers
    exchange: ExchangeTokens
    refresh: RefreshTokens
    session: CalendlySession


def calendly_of(made: Resources) -> Calendly:
    """Return the way to Calendly."""
    settings, budget = made.settings, RateBudget(made.clock)
    oauth = CalendlyOAuthGateway(
        made.http,
        auth_url=settings.calendly_auth_url,
        client_id=settings.calendly_client_id,
        client_secret=settings.calendly_client_secret,
        clock=made.clock,
        budget=budget,
    )
    circuit_breakers = CircuitBreakers(
        storage=made.storage,
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        policy=surface_policy(made),
    )
    exchange = ExchangeTokens(
        storage=made.storage,
        vault=made.vault,
        oauth=oauth,
        circuit_breakers=circuit_breakers,
        background=made.background,
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        breaker_policy=breaker_policy(made),
        lease_ttl=settings.refresh_lease,
    )
    refresh = RefreshTokens(
        storage=made.storage,
        exchange=exchange,
        circuit_breakers=circuit_breakers,
        clock=made.clock,
        randomness=made.randomness,
        owner=made.owner,
        lease_ttl=settings.refresh_lease,
    )
    session = CalendlySession(
        storage=made.storage,
        vault=made.vault,
        refresh=refresh,
        circuit_breakers=circuit_breakers,
        clock=made.clock,
        randomness=made.randomness,
        pauses=budget,
        retries=retry_table(settings),
    )
    api = CalendlyApi(made.http, api_url=settings.calendly_api_url, budget=budget)
    return Calendly(
        oauth=oauth,
        api=api,
        circuit_breakers=circuit_breakers,
        exchange=exchange,
        refresh=refresh,
        session=session,
    )


def retry_table(settings: Settings) -> RetryTable:
    """Return after which errors, how often and how far apart to repeat, as configured."""
    return RetryTable(
        request=RetryPolicy(
            base=settings.retry_base, cap=settings.retry_cap, limit=settings.retry_limit
        ),
        calendly=RetryPolicy(base=settings.retry_job_base, cap=settings.retry_job_cap),
    )


def surface_policy(made: Resources) -> BreakerPolicy:
    """Return when the breakers that everybody shares open, as configured."""
    settings = made.settings
    return BreakerPolicy(
        threshold=settings.breaker_threshold,
        reset=settings.breaker_reset,
        longest=settings.breaker_longest,
        window=settings.breaker_window,
    )


def breaker_policy(made: Resources) -> BreakerPolicy:
    """Return when an integration's own refresh breaker opens, as configured but for its window."""
    return replace(surface_policy(made), window=REFRESHES_COUNT_FOR)
