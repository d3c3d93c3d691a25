"""The access to Calendly that all flows share: one rate budget, breakers, token refresh."""

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
from application.tokens.refresh_tokens import RefreshTokens
from application.tokens.refresh_under_lease import RefreshUnderLease
from domain.backoff import RetryPolicy
from domain.circuit_breaker import BreakerPolicy
from domain.refusal import RefusalPolicy
from domain.retries import RetryTable

# One integration is refreshed every hour or two: a failure of the last day still counts.
REFRESH_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Calendly:
    """The gateways and the use cases that call Calendly; one of each a process."""

    oauth: CalendlyOAuthGateway
    api: CalendlyApi
    circuit_breakers: CircuitBreakers
    refresh_under_lease: RefreshUnderLease
    refresh: RefreshTokens
    session: CalendlySession


def calendly_of(resources: Resources) -> Calendly:
    settings, budget = resources.settings, RateBudget(resources.clock)
    oauth = CalendlyOAuthGateway(
        resources.http,
        auth_url=settings.calendly_auth_url,
        client_id=settings.calendly_client_id,
        client_secret=settings.calendly_client_secret,
        clock=resources.clock,
        budget=budget,
    )
    circuit_breakers = CircuitBreakers(
        storage=resources.storage,
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        policy=surface_policy(resources),
    )
    refresh_under_lease = RefreshUnderLease(
        storage=resources.storage,
        vault=resources.vault,
        oauth=oauth,
        circuit_breakers=circuit_breakers,
        background=resources.background,
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        breaker_policy=breaker_policy(resources),
        lease_ttl=settings.refresh_lease,
        refusals=RefusalPolicy(settings.refusal_retry),
        brake=surface_policy(resources),
        doubt=settings.refresh_doubt,
    )
    refresh = RefreshTokens(
        storage=resources.storage,
        refresh=refresh_under_lease,
        circuit_breakers=circuit_breakers,
        clock=resources.clock,
        randomness=resources.randomness,
        owner=resources.owner,
        lease_ttl=settings.refresh_lease,
    )
    session = CalendlySession(
        storage=resources.storage,
        vault=resources.vault,
        refresh=refresh,
        circuit_breakers=circuit_breakers,
        clock=resources.clock,
        randomness=resources.randomness,
        rate_limits=budget,
        retries=retry_table(settings),
    )
    api = CalendlyApi(resources.http, api_url=settings.calendly_api_url, budget=budget)
    return Calendly(
        oauth=oauth,
        api=api,
        circuit_breakers=circuit_breakers,
        refresh_under_lease=refresh_under_lease,
        refresh=refresh,
        session=session,
    )


def retry_table(settings: Settings) -> RetryTable:
    """Return the configured retries: after which errors, how often and how far apart."""
    return RetryTable(
        request=RetryPolicy(
            base=settings.retry_base, cap=settings.retry_cap, limit=settings.retry_limit
        ),
        calendly=RetryPolicy(base=settings.retry_job_base, cap=settings.retry_job_cap),
    )


def surface_policy(resources: Resources) -> BreakerPolicy:
    """Return when the breakers that all integrations share open, as configured."""
    settings = resources.settings
    return BreakerPolicy(
        threshold=settings.breaker_threshold,
        reset=settings.breaker_reset,
        longest=settings.breaker_longest,
        window=settings.breaker_window,
    )


def breaker_policy(resources: Resources) -> BreakerPolicy:
    """Return when an integration's own refresh breaker opens: as configured, over a day."""
    return replace(surface_policy(resources), window=REFRESH_WINDOW)
