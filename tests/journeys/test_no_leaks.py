"""A real run is searched for everything that must not be in it."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.journeys.conftest import KINDS_OF_SECRETS, Walked

# The sandbox is the other side of the wire: its logs are not ours.
OUR_LOGS = ("web", "worker", "migrate", "schedules", "keys", "temporal", "postgres", "supervisor")


def found(secrets: dict[str, list[str]], kinds: Iterable[str], text: bytes) -> list[str]:
    """Return the kinds of secrets that occur in a text; never a secret itself."""
    return sorted({kind for kind in kinds for secret in secrets[kind] if secret.encode() in text})


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_sandbox_issued_secrets_of_every_kind(walked: Walked) -> None:
    """The search looks for something: each kind of secret occurred in the run."""
    assert {*KINDS_OF_SECRETS, "our_own"} <= {k for k, v in walked.secrets.items() if v}


@pytest.mark.parametrize("name", OUR_LOGS)
def test_no_log_holds_a_secret_or_an_invitees_address(walked: Walked, name: str) -> None:
    """Logs can be shipped anywhere."""
    files = list((walked.home / "logs").glob(f"{name}.log*"))

    assert files
    assert [
        found(walked.secrets, walked.secrets, path.read_bytes())
        for path in files
        if found(walked.secrets, walked.secrets, path.read_bytes())
    ] == []


def test_temporal_holds_no_secret_and_no_invitees_address(walked: Walked) -> None:
    """Operators may read every history in the Temporal UI."""
    files = list(walked.home.glob("temporal.db*"))
    text = b"".join(path.read_bytes() for path in files)

    assert b"refresh_due_tokens" in text, "the search would have found what is there"
    assert found(walked.secrets, walked.secrets, text) == []


def test_no_answer_holds_a_secret(walked: Walked) -> None:
    """Callers see bookings with their invitees, never a token, code or key."""
    text = "\n".join(walked.answers).encode()

    assert b"iris@example.net" in text, "the search would have found what is there"
    assert found(walked.secrets, walked.secrets.keys() - {"invitee_emails"}, text) == []


def test_the_database_holds_no_secret_in_the_clear(walked: Walked) -> None:
    """A copy of the database does not give access to an account."""
    text = b"".join(path.read_bytes() for path in files_below(walked.home / "postgres"))

    # Our own database password is PostgreSQL's to keep.
    kinds = walked.secrets.keys() - {"invitee_emails", "our_own"}
    assert b"scheduled_events" in text, "the search would have found what is there"
    assert found(walked.secrets, kinds, text) == []
