from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import (
    Settings,
    SettingsError,
    load_database_url,
    load_settings,
    load_temporal_settings,
)
from domain.secret import Secret
from tests.adapters.sound_environ import KEY_ONE, KEY_TWO, SECRETS, SOUND


def faults_of(environ: dict[str, str]) -> tuple[str, ...]:
    """Return the faults that are reported for an environment."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return tuple(str(fault) for fault in caught.value.faults)


def test_the_required_variables_are_enough() -> None:
    """With only the required variables the documented defaults hold."""
    settings = load_settings(SOUND)

    assert settings.database_url == Secret(SOUND["DATABASE_URL"])
    assert settings.public_url == "https://slots.example.com"
    assert settings.calendly_auth_url == "https://auth.calendly.com"
    assert settings.calendly_api_url == "https://api.calendly.com"
    assert settings.temporal_address == "localhost:7233"
    assert settings.temporal_namespace == "default"
    assert settings.cache_ttl == timedelta(hours=24)
    assert settings.refresh_horizon == timedelta(minutes=75)
    assert settings.return_origins == ()
    assert settings.demo_user is None


def test_a_lease_outlasts_a_token_request() -> None:
    """A refresh lease that could end while its request is out is refused."""
    assert load_settings({**SOUND, "REFRESH_LEASE": "45s"}).refresh_lease.seconds == 45
    assert faults_of({**SOUND, "REFRESH_LEASE": "44s"})[0].startswith("REFRESH_LEASE")


def test_every_required_variable_that_is_missing_is_named_at_once() -> None:
    """An empty environment gives one error with a fault for each required variable."""
    faults = faults_of({})

    assert [fault.split()[0] for fault in faults] == [
        "DATABASE_URL",
        "CALENDLY_CLIENT_ID",
        "CALENDLY_CLIENT_SECRET",
        "CALENDLY_WEBHOOK_SIGNING_KEY",
        "CRON_SECRET",
        "TOKEN_ENCRYPTION_KEYS",
        "PUBLIC_URL",
    ]
    assert all(" is missing. " in fault for fault in faults)


def test_a_blank_variable_counts_as_missing() -> None:
    """`NAME=` in an env file is the same as no line at all."""
    assert faults_of({**SOUND, "PUBLIC_URL": "  "})[0].startswith("PUBLIC_URL is missing.")
    assert load_settings({**SOUND, "CACHE_TTL": ""}).cache_ttl == timedelta(hours=24)


def test_faults_of_every_kind_are_reported_together() -> None:
    """Missing, malformed and contradicting variables come in one message."""
    environ = {
        **SOUND,
        "CALENDLY_CLIENT_ID": "",
        "LOG_LEVEL": "loud",
        "BREAKER_RESET": "soon",
        "RETRY_BASE": "10s",
        "RETRY_CAP": "1s",
    }

    names = [fault.split()[0] for fault in faults_of(environ)]

    assert names == ["CALENDLY_CLIENT_ID", "LOG_LEVEL", "BREAKER_RESET", "RETRY_BASE"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://localhost/x", "does not begin with postgresql://"),
        ("DATABASE_URL", "postgresql://localhost:99999/x", "is not a URL"),
        ("PUBLIC_URL", "slots.example.com", "is 'slots.example.com', which is not an http(s) URL"),
        ("PUBLIC_URL", "ftp://slots.example.com", "which is not an http(s) URL"),
        ("PUBLIC_URL", "https://", "which is not an http(s) URL"),
        ("PUBLIC_URL", "https://a.example:port", "which is not a URL"),
        ("PUBLIC_URL", "https://a.example/?x=1", "without query or fragment"),
        (
            "PUBLIC_URL",
            "http://slots.example.com",
            "is http, which is refused beyond this machine",
        ),
        ("PUBLIC_URL", "http://127.0.0.1.example.com", "is http, which is refused"),
        ("CALENDLY_API_URL", "http://10.0.0.1", "is http, which is refused"),
        ("CALENDLY_AUTH_URL", "http://auth.calendly.com", "is http, which is refused"),
        ("CALENDLY_API_URL", "https://a b.example", "which is not an http(s) URL"),
        ("TEMPORAL_ADDRESS", "http://temporal:7233", "is not host:port"),
        ("TEMPORAL_ADDRESS", "temporal", "is not host:port"),
        ("TEMPORAL_ADDRESS", "temporal:0", "is not host:port"),
        ("LOG_LEVEL", "loud", "is 'loud', which is none of debug, info, warning, error"),
        ("LOG_FORMAT", "xml", "is 'xml', which is none of json, console"),
        ("CACHE_TTL", "tomorrow", "is 'tomorrow', which is not a duration"),
        ("CACHE_TTL", "0", "is 0, outside 1s to 31d"),
        ("WEBHOOK_RETENTION", "1d", "is 1d, outside 2d to 3650d"),
        ("DEAD_LETTER_RETENTION", "47h", "outside 2d to 3650d"),
        ("PAGE_SIZE", "many", "is 'many', which is not a whole number"),
        ("PAGE_SIZE", "0", "is 0, outside 1 to 1000"),
        ("RETRY_JOB_BASE", "1h", "is 1h, longer than RETRY_JOB_CAP (5m)"),
        ("CONCURRENCY", "-1", "is '-1', which is not a whole number"),
        ("CRON_SECRET", "short", "is shorter than 16 characters"),
        ("CRON_SECRET", "a" * 64, "has fewer than 8 different characters"),
        ("CRON_SECRET", "1234567" * 4, "has fewer than 8 different characters"),
        ("CALENDLY_WEBHOOK_SIGNING_KEY", " , ", "holds no key"),
        ("RETURN_ORIGINS", "https://a.example/app", "has more than scheme, host and port"),
        ("DEMO_USER", "u" * 256, "is 256 characters long, 255 are allowed"),
        ("TOKEN_ENCRYPTION_KEYS", "k1", "has no id:base64 pair at position 1"),
        ("TOKEN_ENCRYPTION_KEYS", f"k.1:{KEY_ONE}", "has no id:base64 pair at position 1"),
        ("TOKEN_ENCRYPTION_KEYS", "k1:%%%", "has a key that is not base64 at position 1"),
        ("TOKEN_ENCRYPTION_KEYS", "k1:AAAA", "is 3 bytes long, not 32 at position 1"),
        (
            "TOKEN_ENCRYPTION_KEYS",
            f"k1:{KEY_ONE},k1:{KEY_TWO}",
            "repeats a key id at position 2",
        ),
        (
            "TOKEN_ENCRYPTION_KEYS",
            f"k1:{KEY_ONE},k2:{KEY_ONE}",
            "has the same key under two ids",
        ),
    ],
)
def test_a_malformed_variable_is_named_with_what_is_wrong(
    name: str, value: str, said: str
) -> None:
    """The one fault names the variable, what is wrong with it and what to do."""
    (fault,) = faults_of({**SOUND, name: value})

    assert fault.startswith(f"{name} ")
    assert said in fault


@pytest.mark.parametrize("name", sorted(SECRETS))
@given(junk=st.text(st.characters(categories=["L", "N"]), min_size=12, max_size=40))
def test_a_faulty_secret_is_never_quoted(name: str, junk: str) -> None:
    """No message holds anything of a secret variable's value, however it is malformed."""
    environ = {**SOUND, name: f"postgresql://u:{junk}@h:bad/{junk}", "PUBLIC_URL": "wrong"}
    if name == "TOKEN_ENCRYPTION_KEYS":
        environ[name] = f"{junk},{junk}:{junk},k1:{junk}"

    with pytest.raises(SettingsError) as caught:
        load_settings(environ)

    assert junk not in str(caught.value)
    assert junk not in repr(caught.value.faults)


def test_an_address_with_a_password_in_it_is_refused_without_being_quoted() -> None:
    """A password pasted into a plain address does not reach the terminal."""
    (fault,) = faults_of({**SOUND, "PUBLIC_URL": "https://me:hunter2@slots.example.com"})

    assert "hunter2" not in fault


def test_settings_show_no_secret() -> None:
    """The settings can be printed without giving a secret away."""
    shown = repr(load_settings(SOUND))

    hidden = [
        part
        for value in SECRETS.values()
        for part in value.replace(":", ",").split(",")
        if len(part) > 4
    ]
    assert [part for part in hidden if part in shown] == []


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    """`NAME_FILE` names a file that holds the secret; a line end after it does not matter."""
    file = tmp_path / "secret"
    file.write_text(f"{SOUND[name]}\n")
    environ = {key: value for key, value in SOUND.items() if key != name}

    settings = load_settings({**environ, f"{name}_FILE": str(file)})

    assert getattr(settings, name.lower()) == getattr(load_settings(SOUND), name.lower())


def test_a_secret_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """A missing secret file is reported like a missing variable."""
    environ = {**SOUND, "CRON_SECRET": "", "CRON_SECRET_FILE": str(tmp_path / "nowhere")}

    (fault,) = faults_of(environ)

    assert "cannot be read from the file in CRON_SECRET_FILE: No such file" in fault


def test_a_secret_given_twice_is_a_fault(tmp_path: Path) -> None:
    """A variable and its file together are refused: it would not be clear which one holds."""
    file = tmp_path / "secret"
    file.write_text("another-cron-secret-value")

    (fault,) = faults_of({**SOUND, "CRON_SECRET_FILE": str(file)})

    assert "CRON_SECRET and CRON_SECRET_FILE are both set" in fault


def test_signing_keys_keep_their_order() -> None:
    """The current signing key comes first, the previous one after it."""
    keys = load_settings(SOUND).calendly_webhook_signing_key

    assert [key.reveal() for key in keys] == ["signing-k3y-current", "signing-k3y-previous"]


def test_encryption_keys_keep_their_order() -> None:
    """The first encryption key is the one that seals."""
    assert list(load_settings(SOUND).token_encryption_keys) == ["k2", "k1"]


def test_the_trailing_slash_of_an_address_goes() -> None:
    """Paths can be appended to every address."""
    environ = {**SOUND, "PUBLIC_URL": "https://a.example/sub/", "SANDBOX_URL": "http://[::1]:90/"}

    settings = load_settings(environ)

    assert settings.public_url == "https://a.example/sub"
    assert settings.sandbox_url == "http://[::1]:90"


def test_return_origins_are_a_list() -> None:
    """Origins are separated by commas."""
    given_origins = "https://a.example, http://localhost:3000/"

    settings = load_settings({**SOUND, "RETURN_ORIGINS": given_origins})

    assert settings.return_origins == ("https://a.example", "http://localhost:3000")


def test_a_soft_ttl_longer_than_the_ttl_is_a_fault() -> None:
    """A value that is never stale before it expires would never be refreshed in time."""
    both = faults_of({**SOUND, "CACHE_TTL": "30m"})
    (lists,) = faults_of({**SOUND, "CACHE_TTL": "6h"})

    assert both[0].startswith("CACHE_SOFT_TTL is 6h, longer than CACHE_TTL (30m).")
    assert both[1].startswith("CACHE_LISTS_SOFT_TTL is 12h, longer than CACHE_TTL (30m).")
    assert lists.startswith("CACHE_LISTS_SOFT_TTL is 12h, longer than CACHE_TTL (6h).")


def test_a_migration_needs_only_the_database() -> None:
    """The database's address can be read while everything else is missing."""
    environ = {"DATABASE_URL": SOUND["DATABASE_URL"], "LOG_LEVEL": "loud"}

    assert load_database_url(environ) == Secret(SOUND["DATABASE_URL"])
    with pytest.raises(SettingsError, match="DATABASE_URL is missing"):
        load_database_url({})


def test_schedules_need_only_temporal() -> None:
    """Temporal's settings can be read while everything else is missing."""
    settings = load_temporal_settings({"TEMPORAL_NAMESPACE": "slots"})

    assert (settings.temporal_address, settings.temporal_namespace) == ("localhost:7233", "slots")
    with pytest.raises(SettingsError, match="TEMPORAL_ADDRESS is not host:port"):
        load_temporal_settings({"TEMPORAL_ADDRESS": "nowhere"})


def test_variables_of_others_are_left_alone() -> None:
    """The variables of Temporal's SDK or the shell do not disturb us."""
    others = {"TEMPORAL_API_KEY": "x", "TEMPORAL_TLS": "true", "PATH": "/bin", "page_size": "0"}

    assert load_settings({**SOUND, **others}) == load_settings(SOUND)


def test_settings_cannot_be_changed() -> None:
    """Settings are data that no code can alter after the start."""
    settings = load_settings(SOUND)

    with pytest.raises(AttributeError):
        settings.page_size = 5  # type: ignore[misc]
    assert isinstance(settings, Settings)
