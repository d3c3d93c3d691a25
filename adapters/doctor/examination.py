"""Runs every check that has what it needs; checks that wait for a server run concurrently."""

import asyncio
from collections.abc import Awaitable, Mapping

from adapters.doctor.checks import (
    check_connect,
    check_credentials,
    check_database,
    check_public_url,
    check_settings,
    check_temporal,
)
from adapters.doctor.finding import Finding, Health, unchecked, wrong
from adapters.doctor.probes import Probes
from adapters.settings import Settings, SettingsError, load_settings
from domain.errors import SlotkeeperError

TIMEOUT_SECONDS = 15.0
_CREDENTIALS = "Calendly credentials"

_REMEDIES = {
    "Database": "Check DATABASE_URL, and that PostgreSQL runs and accepts this machine.",
    "Temporal": "Start it, or set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to where it runs.",
    _CREDENTIALS: "Check CALENDLY_AUTH_URL, and that this machine reaches it.",
}


async def examine(environ: Mapping[str, str], probes: Probes) -> list[Finding]:
    """Return the findings in the order in which to fix them. Never raises."""
    findings = check_settings(environ)
    settings = _complete(environ)
    waiting = [
        _guarded("Database", check_database(environ, probes)),
        _guarded("Temporal", check_temporal(environ, probes)),
    ]
    if settings is None:
        findings.append(unchecked(_CREDENTIALS, "Fix the settings first."))
    else:
        findings += [*check_public_url(settings), *check_connect(settings)]
        waiting.append(_guarded(_CREDENTIALS, check_credentials(settings, probes)))
    for results in await asyncio.gather(*waiting):
        findings += results
    return findings


def is_healthy(findings: list[Finding]) -> bool:
    return all(finding.health in {Health.FINE, Health.ADVICE} for finding in findings)


def _complete(environ: Mapping[str, str]) -> Settings | None:
    try:
        return load_settings(environ)
    except SettingsError:
        return None


async def _guarded(subject: str, check: Awaitable[list[Finding]]) -> list[Finding]:
    """Return an error of a check as its finding."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await check
    except TimeoutError:
        detail = f"no answer within {TIMEOUT_SECONDS:.0f} seconds"
    except SlotkeeperError as error:
        detail = error.message
    except Exception as error:  # noqa: BLE001 - a failed check is a finding
        # Only its type: a library's message may quote an address with a password.
        detail = type(error).__name__
    return [wrong(subject, detail, _REMEDIES[subject])]
