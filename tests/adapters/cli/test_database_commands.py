import json
import socket
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from adapters.cli import main
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND


class Cli:
    """The command line with one database."""

    def __init__(self, database_url: str) -> None:
        self._environ = {"DATABASE_URL": database_url}

    def __call__(self, *arguments: str) -> Result:
        """Run one command."""
        return CliRunner().invoke(main, arguments, env=self._environ)


@pytest.fixture
def cli(database_url: Secret) -> Cli:
    """The command line with a migrated database."""
    return Cli(database_url.reveal())


def key_ids(cli: Cli) -> list[str]:
    """Return the ids that `keys list` shows."""
    return [line.split()[0] for line in cli("keys", "list").output.splitlines()[1:]]


def test_migrating_again_changes_nothing(empty_database: Secret) -> None:
    """A migration brings an empty database up to date, and a second one finds it so."""
    cli = Cli(empty_database.reveal())

    first, again = cli("migrate"), cli("migrate")

    assert first.exit_code == 0
    assert first.output != again.output
    assert (again.exit_code, again.output) == (0, "The database is up to date.\n")
    assert cli("migrate", "--check").exit_code == 0


def test_pending_migrations_can_be_checked_for(empty_database: Secret) -> None:
    """`migrate --check` names what is pending, changes nothing and exits with 1."""
    empty = Cli(empty_database.reveal())

    first, second = empty("migrate", "--check"), empty("migrate", "--check")

    assert first.exit_code == 1
    assert all(line.endswith(" is pending") for line in first.output.splitlines())
    assert first.output == second.output


def test_a_key_is_shown_once_when_it_is_made(cli: Cli) -> None:
    """The new key is printed, `sk_` and 43 characters; the list shows only how it begins."""
    made = cli("keys", "create", "--name", "shown [once]")

    secret = made.output.splitlines()[-1]
    listed = cli("keys", "list").output
    assert made.exit_code == 0
    assert len(secret) == 46
    assert secret.startswith("sk_")
    assert secret not in listed
    assert secret[:10] in listed
    assert "shown [once]" in listed


def test_quiet_prints_nothing_but_the_key(cli: Cli) -> None:
    """A program can take the key from standard output."""
    made = cli("keys", "create", "--name", "quiet", "--quiet")

    assert made.stdout.startswith("sk_")
    assert made.stdout.count("\n") == 1
    assert made.stderr == ""


def test_a_key_is_listed_with_its_rights(cli: Cli) -> None:
    """The list shows the scopes, the day of expiry and who made the key; not given is all."""
    cli("keys", "create", "--name=scoped", "--scope=read", "--scope=erase", "--expires=90d")
    cli("keys", "create", "--name=unlimited", "--network=10.0.0.0/8")

    lines = {line.split()[-1]: line for line in cli("keys", "list").output.splitlines()}
    last_day = datetime.now(UTC) + timedelta(days=90)
    assert "erase,read" in lines["scoped"]
    assert f"until {last_day:%Y-%m-%d}" in lines["scoped"]
    assert "never" in lines["scoped"]
    assert f"@{socket.gethostname()}" in lines["scoped"]
    assert "app,erase,operator,read" in lines["unlimited"]


@pytest.mark.parametrize(
    "wrong",
    [
        "--scope=admin",
        "--expires=0d",
        "--expires=11y",
        "--expires=99999d",
        "--network=10.0.0.0/33",
    ],
)
def test_a_right_that_cannot_be_is_refused(cli: Cli, wrong: str) -> None:
    """A wrong option makes no key, and names the option."""
    before = key_ids(cli)

    refused = cli("keys", "create", "--name=wrong", wrong)

    assert refused.exit_code == 2
    assert wrong.partition("=")[0] in refused.output
    assert key_ids(cli) == before


def test_a_key_can_be_revoked_once(cli: Cli) -> None:
    """Revoking ends a key; a second time, or with another id, it is a clear error."""
    before = set(key_ids(cli))
    cli("keys", "create", "--name", "to revoke")
    (key_id,) = set(key_ids(cli)) - before

    revoked, again = cli("keys", "revoke", key_id), cli("keys", "revoke", key_id)

    assert (revoked.exit_code, revoked.output) == (0, f"The key {key_id} is revoked.\n")
    assert again.exit_code == 1
    assert f"No live key has the id {key_id}" in again.output
    assert key_id in key_ids(cli)


def test_what_is_no_id_is_refused(cli: Cli) -> None:
    """A key is revoked by its id, not by its name or by the key itself."""
    assert cli("keys", "revoke", "to-revoke").exit_code == 2


def test_an_unknown_integration_cannot_be_refreshed(database_url: Secret) -> None:
    """`refresh` names the error and exits with 1; nothing was sent."""
    environ = SOUND | {"DATABASE_URL": database_url.reveal(), "TEMPORAL_ADDRESS": "127.0.0.1:1"}

    ended = CliRunner().invoke(main, ["refresh", str(UUID(int=7))], env=environ)

    assert ended.exit_code == 1
    assert "integration_not_found" in ended.output


def test_an_unknown_integration_cannot_be_invalidated(database_url: Secret) -> None:
    """`invalidate` names the error and exits with 1."""
    environ = SOUND | {"DATABASE_URL": database_url.reveal(), "TEMPORAL_ADDRESS": "127.0.0.1:1"}

    ended = CliRunner().invoke(main, ["invalidate", str(UUID(int=7))], env=environ)

    assert ended.exit_code == 1
    assert "integration_not_found" in ended.output


def test_changes_of_keys_are_in_the_audit_trail(cli: Cli) -> None:
    """Each change is listed with its actor, the latest first, page after page, without the key."""
    secret = cli("keys", "create", "--name=audited", "--quiet").output.strip()
    (key_id,) = key_ids(cli)
    cli("keys", "revoke", key_id)

    listed = cli("audit", "list", "--json").output
    latest, first = map(json.loads, listed.splitlines())

    assert (latest["action"], first["action"]) == ("api_key_revoked", "api_key_created")
    assert latest["subject_id"] == first["subject_id"] == key_id
    assert latest["actor"].endswith(f"@{socket.gethostname()}")
    assert secret[:10] not in listed
    older = cli("audit", "list", "--before", latest["id"]).output
    assert [line.split()[0] for line in older.splitlines()] == [first["id"]]
