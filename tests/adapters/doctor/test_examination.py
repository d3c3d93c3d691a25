import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner
from rich.console import Console

from adapters.commands.doctor import doctor_command, report
from adapters.doctor.examination import examine, is_healthy
from adapters.doctor.finding import Finding, Health
from adapters.doctor.probes import Probes
from adapters.persistence.preconditions import Unmet
from adapters.settings import Settings, TemporalSettings
from adapters.system.clock import SystemClock
from adapters.temporal.schedules import ScheduleFaults
from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.storage.api_keys import ApiKey
from domain.api_key import KeyScope
from domain.errors import (
    CalendlyUnavailable,
    ClientRefused,
    JobsUnavailable,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.secret import Secret
from tests.adapters.sound_environ import SECRETS, SOUND
from tests.fakes.calendly.fake_calendly import FakeCalendly

OUT_OF_REACH = {
    "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none",
    "CALENDLY_AUTH_URL": "http://127.0.0.1:1",
    "CALENDLY_API_URL": "http://127.0.0.1:1",
}
SUBJECTS = (
    "Settings",
    "Public address",
    "Connect flows",
    "Database",
    "Clock",
    "Migrations",
    "Encryption keys",
    "Temporal",
    "Schedules",
    "Calendly credentials",
)


class World:
    """An outside in which everything is fine until a test breaks a part of it."""

    def __init__(self) -> None:
        self.calendly = FakeCalendly(SystemClock())
        self.missing_migrations: list[str] = []
        self.lacking: list[Unmet] = []
        self.sealed: dict[str, int] = {"k2": 7}
        self.database_error: Exception | None = None
        self.temporal_error: SlotkeeperError | None = None
        self.skew = timedelta(seconds=-1)
        self.schedule_faults = ScheduleFaults()
        self.foreign: Counter[str] = Counter()
        self.asked: list[str] = []
        self.keys: list[ApiKey] = []

    @property
    def probes(self) -> Probes:
        """Roads into this world."""
        return Probes(
            self._pending,
            self._reach,
            self._count,
            self._unmet,
            self._foreign,
            self._open,
            self._skew,
            self._schedules,
            self._keys,
        )

    async def _keys(self, database_url: Secret) -> list[ApiKey]:
        assert database_url.reveal() in self.asked
        return self.keys

    async def _unmet(self, _database_url: Secret) -> list[Unmet]:
        return self.lacking

    async def _pending(self, database_url: Secret) -> list[str]:
        self.asked.append(database_url.reveal())
        if self.database_error is not None:
            raise self.database_error
        return self.missing_migrations

    async def _skew(self, database_url: Secret) -> timedelta:
        assert database_url.reveal() in self.asked
        return self.skew

    async def _count(self, database_url: Secret) -> Mapping[str, int]:
        assert database_url.reveal() in self.asked
        return self.sealed

    async def _foreign(self, database_url: Secret, client_id: str) -> int:
        assert database_url.reveal() in self.asked
        return self.foreign[client_id]

    async def _reach(self, settings: TemporalSettings) -> None:
        self.asked.append(settings.temporal_address)
        if self.temporal_error is not None:
            raise self.temporal_error

    async def _schedules(self, _settings: TemporalSettings) -> ScheduleFaults:
        return self.schedule_faults

    @asynccontextmanager
    async def _open(self, settings: Settings) -> AsyncIterator[CalendlyOAuth]:
        self.asked.append(settings.calendly_auth_url)
        yield self.calendly


@pytest.fixture
def world() -> World:
    """An outside in which everything is fine."""
    return World()


async def wrong_in(world: World, environ: Mapping[str, str] = SOUND) -> dict[str, Finding]:
    """Return what is not fine, by subject; of several of one subject the last."""
    findings = await examine(environ, world.probes)
    assert is_healthy(findings) == all(each.health is Health.FINE for each in findings)
    return {each.subject: each for each in findings if each.health is not Health.FINE}


async def test_a_sound_installation_is_healthy(world: World) -> None:
    """When everything answers, every check is fine and each road was taken once."""
    findings = await examine(SOUND, world.probes)

    assert is_healthy(findings)
    assert tuple(finding.subject for finding in findings) == SUBJECTS
    assert sorted(world.asked) == sorted(
        [SOUND["DATABASE_URL"], "localhost:7233", "https://auth.calendly.com"]
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "5 s ahead of"), (-5, "5 s behind"), (62, "are not ready")]
)
async def test_a_skewed_clock_is_reported(world: World, seconds: int, said: str) -> None:
    """From 5 s on the doctor reports the difference between the clocks, and its direction."""
    world.skew = timedelta(seconds=seconds)

    wrong = await wrong_in(world)

    assert [*wrong] == ["Clock"]
    assert said in wrong["Clock"].detail


async def test_accounts_of_another_client_are_counted(world: World) -> None:
    """Accounts that were connected with another app are named with the remedy."""
    world.foreign[SOUND["CALENDLY_CLIENT_ID"]] = 30

    found = (await wrong_in(world))["Client id"]

    assert found.detail.startswith("30 connected accounts")
    assert "CALENDLY_CLIENT_ID" in found.remedy


async def test_keys_with_all_rights_are_named(world: World) -> None:
    """Only live keys that were made before keys had scopes are to be replaced."""
    now = datetime.now(UTC)
    names = (("old", None, None), ("gone", now, None), ("new", None, frozenset({KeyScope.APP})))
    world.keys = [
        ApiKey(uuid4(), name, "sk_", now, revoked_at=revoked, scopes=scopes)
        for name, revoked, scopes in names
    ]

    found = (await wrong_in(world))["API keys"]

    assert found.detail.endswith("never expire: old")
    assert "keys create" in found.remedy


async def test_asking_calendly_leaves_no_grant_behind(world: World) -> None:
    """The credentials are checked with a code that cannot exist: nothing is granted."""
    await examine(SOUND, world.probes)

    assert world.calendly.calls["exchange_code"] == 1
    assert world.calendly.grants == []


async def test_every_faulty_variable_has_its_line(world: World) -> None:
    """Each fault of the settings is a finding with what to do; what needs them is not checked."""
    environ = {**SOUND, "CRON_SECRET": "", "LOG_LEVEL": "loud"}

    findings = await examine(environ, world.probes)

    faults = [each.detail.split()[0] for each in findings if each.subject == "Settings"]
    assert faults == ["CRON_SECRET", "LOG_LEVEL"]
    assert all(each.remedy for each in findings if each.health is Health.WRONG)
    health = {each.subject: each.health for each in findings}
    assert health["Calendly credentials"] is Health.UNCHECKED
    assert health["Database"] is Health.FINE
    assert health["Temporal"] is Health.FINE
    assert not is_healthy(findings)


async def test_without_a_database_url_the_database_is_not_asked(world: World) -> None:
    """Nothing connects anywhere by an address that is missing."""
    wrong = await wrong_in(world, {})

    assert wrong["Database"].health is Health.UNCHECKED
    assert wrong["Migrations"].health is Health.UNCHECKED
    assert world.asked == ["localhost:7233"]


async def test_a_database_that_is_down_is_reported(world: World) -> None:
    """A database that cannot be reached names DATABASE_URL as the place to look at."""
    world.database_error = StorageUnavailable("PostgreSQL is not available at the moment.")

    (finding,) = (await wrong_in(world)).values()

    assert finding.subject == "Database"
    assert finding.detail == "PostgreSQL is not available at the moment."
    assert "DATABASE_URL" in finding.remedy


async def test_pending_migrations_are_reported(world: World) -> None:
    """A finding about missing migrations names the command that applies them."""
    world.missing_migrations = ["one", "two"]

    wrong = await wrong_in(world)

    assert wrong["Migrations"].detail == "2 pending"
    assert wrong["Migrations"].remedy == "Run: slotkeeper migrate"
    assert wrong["Encryption keys"].health is Health.UNCHECKED
    assert len(wrong) == 2


async def test_values_without_their_key_are_reported(world: World) -> None:
    """A key that was taken out too early is named, with how many values need it."""
    world.sealed = {"k2": 7, "k0": 3, "": 1}

    findings = [each for each in await examine(SOUND, world.probes) if each.health is Health.WRONG]

    assert [each.subject for each in findings] == ["Encryption keys"] * 2
    assert findings[0].detail == "not configured: 'k0' (3 values)"
    assert "TOKEN_ENCRYPTION_KEYS" in findings[0].remedy
    assert findings[1].detail == "1 values are not sealed"
    assert "k2" not in "".join(each.detail for each in findings)


async def test_an_earlier_key_in_use_is_reported_but_no_fault(world: World) -> None:
    """While values are under an earlier key of the ring, the finding says to keep that key."""
    world.sealed = {"k2": 7, "k1": 3}

    findings = await examine(SOUND, world.probes)

    (said,) = [each for each in findings if each.subject == "Encryption keys"]
    assert is_healthy(findings)
    assert said.detail == "still in use: 'k1' (3 values)"
    assert "slotkeeper keys rotate-encryption" in said.remedy


async def test_a_temporal_that_is_down_is_reported(world: World) -> None:
    """A Temporal that cannot be reached is a finding with its message."""
    world.temporal_error = JobsUnavailable("Temporal does not answer.")

    (finding,) = (await wrong_in(world)).values()

    assert (finding.subject, finding.detail) == ("Temporal", "Temporal does not answer.")
    assert "TEMPORAL_ADDRESS" in finding.remedy


@pytest.mark.parametrize(
    "faults",
    [
        ScheduleFaults(missing=("refresh-calendly-tokens",)),
        ScheduleFaults(different=("refresh-calendly-tokens",)),
    ],
)
async def test_schedules_that_start_no_job_are_reported(
    world: World, faults: ScheduleFaults
) -> None:
    """A missing or different schedule is named, with the command that corrects it."""
    world.schedule_faults = faults

    (finding,) = (await wrong_in(world)).values()

    assert (finding.subject, finding.detail) == ("Schedules", faults.fault())
    assert "refresh-calendly-tokens" in finding.detail
    assert finding.remedy == "Run: slotkeeper schedules apply"


async def test_wrong_client_credentials_are_distinguished_from_an_outage(world: World) -> None:
    """`invalid_client` says that the id or secret is wrong; an outage does not."""
    world.calendly.fail_next("exchange_code", ClientRefused("invalid_client"))
    world.calendly.fail_next("exchange_code", CalendlyUnavailable("Calendly does not answer."))

    refused = (await wrong_in(world))["Calendly credentials"]
    away = (await wrong_in(world))["Calendly credentials"]

    assert "CALENDLY_CLIENT_SECRET" in refused.remedy
    assert away.detail == "Calendly does not answer."
    assert "CALENDLY_CLIENT_SECRET" not in away.remedy


@pytest.mark.parametrize(
    ("public_url", "auth_url", "healthy"),
    [
        ("https://slots.example.com", "https://auth.calendly.com", True),
        ("http://127.0.0.1:8000", "https://auth.calendly.com", False),
        ("https://localhost:8000", "https://auth.calendly.com", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8090", True),
    ],
)
async def test_calendly_must_be_able_to_call_back(
    world: World, public_url: str, auth_url: str, healthy: bool
) -> None:
    """With the real Calendly the public address is HTTPS and not this machine."""
    environ = {**SOUND, "PUBLIC_URL": public_url, "CALENDLY_AUTH_URL": auth_url}

    assert ("Public address" not in await wrong_in(world, environ)) == healthy


async def test_doctor_says_the_cost_of_unconfirmed_flows(world: World) -> None:
    """An installation that does not confirm connect flows learns what its users can do."""
    found = await wrong_in(world, {**SOUND, "CONNECT_CONFIRMATION": "off"})

    assert "gets the calendar of the person who opens it" in found["Connect flows"].detail
    assert "/api/calendly/connect/confirm" in found["Connect flows"].remedy
    assert "Connect flows" not in await wrong_in(world, SOUND)


async def test_an_unexpected_error_is_a_finding_without_its_text(world: World) -> None:
    """If a check fails with any error, the others are reported, and no password is quoted."""
    world.database_error = ValueError(f"cannot parse {SECRETS['DATABASE_URL']}")

    (finding,) = (await wrong_in(world)).values()

    assert (finding.subject, finding.detail) == ("Database", "ValueError")


async def test_checks_that_wait_run_at_the_same_time(world: World) -> None:
    """A slow Calendly does not keep the other checks waiting."""
    hold = world.calendly.hold_next("exchange_code")

    running = asyncio.create_task(examine(SOUND, world.probes))
    await hold.reached.wait()
    await asyncio.sleep(0)

    assert len(world.asked) == 3
    hold.release()
    assert is_healthy(await running)


async def test_the_report_shows_every_finding_and_no_secret(world: World) -> None:
    """The report names what was found and what to do, with brackets as they are."""
    world.database_error = StorageUnavailable("PostgreSQL says [no].")
    console = Console(width=100)

    with console.capture() as captured:
        for line in report(await examine({**SOUND, "LOG_LEVEL": "loud"}, world.probes)):
            console.print(line, soft_wrap=True)

    shown = captured.get()
    assert "PostgreSQL says [no]." in shown
    assert "LOG_LEVEL is 'loud'" in shown
    assert "→ Leave it out for info." in shown
    assert all(secret not in shown for secret in SECRETS.values())


async def test_a_demo_user_that_others_can_reach_is_a_fault(world: World) -> None:
    """A setting that would keep the service from starting is reported before the start."""
    wrong = await wrong_in(world, {**SOUND, "DEMO_USER": "demo"})

    assert wrong["Settings"].detail.startswith("DEMO_USER is set, but PUBLIC_URL")


def test_the_command_breaks_no_address() -> None:
    """Each finding is one line on a terminal of any width, so that addresses stay whole."""
    address = "https://slots.a-name-that-is-longer-than-half-a-line.example.com/below/a/path"
    environ = {"PUBLIC_URL": address, "TEMPORAL_ADDRESS": "127.0.0.1:1", "COLUMNS": "40"}

    shown = CliRunner().invoke(doctor_command, env={**SOUND, **OUT_OF_REACH, **environ}).output

    assert address in shown
    assert shown.startswith("Check")
