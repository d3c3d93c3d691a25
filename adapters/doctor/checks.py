"""The checks, one function each: it returns what it found and how to fix it."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from adapters.doctor.encryption import SUBJECT as ENCRYPTION
from adapters.doctor.encryption import check_encryption
from adapters.doctor.finding import Finding, fine, unchecked, wrong
from adapters.doctor.probes import Probes
from adapters.doctor.transport import check_database_transport, check_temporal_transport
from adapters.settings import (
    CONFIRMATION_OFF,
    Settings,
    SettingsError,
    load_database_url,
    load_settings,
    load_temporal_settings,
)
from adapters.system.clock_sync import LIMIT, WARNING, describe
from adapters.temporal.schedules import REMEDY
from adapters.variables.loopback import is_loopback
from adapters.variables.variable import Fault
from adapters.web.auth.demo_access import demo_faults
from domain.errors import ClientRefused, GrantRefused
from domain.secret import Secret

_SETTINGS_FIRST = "Fix the settings first."


def check_settings(environ: Mapping[str, str]) -> list[Finding]:
    """Whether every variable is set and valid: one finding for each fault."""
    try:
        settings = load_settings(environ)
    except SettingsError as error:
        return [_faulty(fault) for fault in error.faults]
    if faults := demo_faults(settings):
        return [_faulty(fault) for fault in faults]
    count = len(settings.__struct_fields__)
    return [fine("Settings", f"all {count} are set and valid")]


def _faulty(fault: Fault) -> Finding:
    return wrong("Settings", f"{fault.variable} {fault.problem}", fault.remedy)


def check_public_url(settings: Settings) -> list[Finding]:
    """Whether Calendly can reach us: it sends users and webhooks only to HTTPS addresses."""
    scheme = urlsplit(settings.public_url).scheme
    real = not is_loopback(settings.calendly_auth_url)
    if real and (scheme != "https" or is_loopback(settings.public_url)):
        return [
            wrong(
                "Public address",
                f"{settings.public_url} is not an address that Calendly can reach over HTTPS",
                "Set PUBLIC_URL to the public https:// address, or use the sandbox Calendly.",
            )
        ]
    return [fine("Public address", settings.public_url)]


def check_connect(settings: Settings) -> list[Finding]:
    """Whether a connect link that is passed on gives nothing to its sender."""
    if settings.connect_confirmation == CONFIRMATION_OFF:
        return [
            wrong(
                "Connect flows",
                "CONNECT_CONFIRMATION is off: a user who passes a connect link on gets the"
                " calendar of the person who opens it",
                "Let your application call POST /api/calendly/connect/confirm, then leave"
                " CONNECT_CONFIRMATION out.",
            )
        ]
    return [fine("Connect flows", "each is confirmed for the user who began it")]


async def check_database(environ: Mapping[str, str], probes: Probes) -> list[Finding]:
    """Whether PostgreSQL answers as it should, how far our clocks are apart; migrations; keys."""
    try:
        database_url = load_database_url(environ)
    except SettingsError:
        subjects = ("Database", "Clock", "Migrations", ENCRYPTION)
        return [unchecked(subject, _SETTINGS_FIRST) for subject in subjects]
    missing = await probes.pending_migrations(database_url)
    lacking = await probes.unmet_preconditions(database_url)
    findings = [wrong("Database", each.problem, each.remedy) for each in lacking] or [
        fine("Database", "answers")
    ]
    clock = _clock(await probes.clock_skew(database_url))
    findings += [*check_database_transport(database_url, environ), clock, _migrations(missing)]
    if missing:
        return [*findings, unchecked(ENCRYPTION, "Run the migrations first.")]
    findings += await check_encryption(environ, probes)
    findings += await _check_keys(database_url, probes)
    return [*findings, *await _check_client(environ, database_url, probes)]


async def _check_keys(database_url: Secret, probes: Probes) -> list[Finding]:
    """Whether live keys have all rights, because they were made before keys had scopes."""
    keys = await probes.api_keys(database_url)
    old = [each.name for each in keys if each.revoked_at is None and each.scopes is None]
    if not old:
        return []
    return [
        wrong(
            "API keys",
            f"{len(old)} of them may do everything and never expire: {', '.join(sorted(old))}",
            "Make a key with only the scopes that each program needs (`slotkeeper keys create"
            " --scope … --expires 90d`), replace it there, then revoke the old one.",
        )
    ]


async def _check_client(
    environ: Mapping[str, str], database_url: Secret, probes: Probes
) -> list[Finding]:
    """Whether accounts are connected under another client id; nothing to say while none is."""
    client_id = environ.get("CALENDLY_CLIENT_ID")
    foreign = await probes.count_foreign(database_url, client_id) if client_id else 0
    if not foreign:
        return []
    return [
        wrong(
            "Client id",
            f"{foreign} connected accounts belong to another one; they are not refreshed",
            "Set CALENDLY_CLIENT_ID and CALENDLY_CLIENT_SECRET back to the app that these"
            " accounts were connected with, or have their users connect again.",
        )
    ]


async def check_temporal(environ: Mapping[str, str], probes: Probes) -> list[Finding]:
    """Whether Temporal answers and knows the namespace, and has each schedule."""
    try:
        settings = load_temporal_settings(environ)
    except SettingsError:
        return [unchecked(subject, _SETTINGS_FIRST) for subject in ("Temporal", "Schedules")]
    await probes.reach_temporal(settings)
    where = f"{settings.temporal_address}, namespace {settings.temporal_namespace}"
    fault = (await probes.schedule_faults(settings)).fault()
    return [
        fine("Temporal", f"answers at {where}"),
        *check_temporal_transport(settings.temporal_address),
        wrong("Schedules", fault, REMEDY) if fault else fine("Schedules", "each starts its job"),
    ]


async def check_credentials(settings: Settings, probes: Probes) -> list[Finding]:
    """Whether Calendly knows our client id and secret.

    Asks for tokens with a code that cannot exist. Calendly checks the client first, so
    `invalid_grant` means that the client is right (RFC 6749, 5.2).
    """
    subject = "Calendly credentials"
    async with probes.open_oauth(settings) as oauth:
        try:
            await oauth.exchange_code(
                code=Secret("slotkeeper-doctor"),
                verifier=Secret("slotkeeper-doctor-asks-whether-it-is-known"),
                redirect_uri=f"{settings.public_url}/api/calendly/callback",
            )
        except GrantRefused:
            return [fine(subject, f"known at {settings.calendly_auth_url}")]
        except ClientRefused:
            return [
                wrong(
                    subject,
                    f"refused at {settings.calendly_auth_url}",
                    "Copy CALENDLY_CLIENT_ID and CALENDLY_CLIENT_SECRET again from your app at"
                    " developer.calendly.com.",
                )
            ]
    return [
        wrong(
            subject,
            f"{settings.calendly_auth_url} accepted a code that does not exist",
            "Check that CALENDLY_AUTH_URL is Calendly's own.",
        )
    ]


def _clock(skew: timedelta) -> Finding:
    if abs(skew) < WARNING:
        return fine("Clock", f"{abs(skew).total_seconds():.1f} s from PostgreSQL's")
    detail = describe(skew)
    state = "processes here are not ready" if abs(skew) >= LIMIT else "30 s is the limit"
    return wrong("Clock", f"{detail}; {state}", "Synchronize both hosts by NTP.")


def _migrations(missing: list[str]) -> Finding:
    if missing:
        return wrong("Migrations", f"{len(missing)} pending", "Run: slotkeeper migrate")
    return fine("Migrations", "all applied")
