import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest

from adapters.security.vault import KeyRingVault
from domain.errors import EncryptionKeyUnknown
from domain.secret import Secret
from tests.adapters.sound_environ import KEY_ONE, KEY_TWO

ONE = f"k1:{KEY_ONE}"
TWO = f"k2:{KEY_TWO}"
EVENTS = 250

_INSERT = """
INSERT INTO calendly_webhook_event (
    public_id, dedupe_key, kind, body_sealed, received_at, occurred_at, next_attempt_at,
    status, attempts
) VALUES ($1, $2, 'invitee.created', $3, now(), now(), now(), 'pending', 0)
"""
_BODIES = "SELECT public_id, body_sealed FROM calendly_webhook_event ORDER BY id"


class Ended(NamedTuple):
    """A command that ended."""

    code: int | None
    output: str
    errors: str


def vault(ring: str) -> KeyRingVault:
    """Return the vault that a ring configures."""
    pairs = [pair.partition(":") for pair in ring.split(",")]
    return KeyRingVault({key_id: Secret(key) for key_id, _, key in pairs})


def bound_to(public_id: UUID) -> str:
    """Return what the body of an event is sealed for."""
    return f"calendly_webhook_event:{public_id}"


@pytest.fixture
async def sql(database_url: Secret) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with sealed webhook bodies, all of the first key."""
    connection = await asyncpg.connect(database_url.reveal())
    ids = [UUID(int=number) for number in range(EVENTS)]
    sealed = [vault(ONE).seal(Secret(f"body of {each}"), bound_to(each)) for each in ids]
    rows = [(each, str(each), text) for each, text in zip(ids, sealed, strict=True)]
    await connection.executemany(_INSERT, rows)
    yield connection
    await connection.close()


async def begin(database_url: Secret, ring: str) -> asyncio.subprocess.Process:
    """Start the command with only the variables that it documents."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "adapters.cli", "keys", "rotate-encryption"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database_url.reveal(),
            "TOKEN_ENCRYPTION_KEYS": ring,
        },
    )


async def rotate(database_url: Secret, ring: str) -> Ended:
    """Run the command to its end."""
    process = await begin(database_url, ring)
    output, errors = await process.communicate()
    return Ended(process.returncode, output.decode(), errors.decode())


async def test_the_command_seals_again_and_prints_the_result(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """One run puts every value under the first key; the next one finds nothing; no key is shown."""
    first = await rotate(database_url, f"{TWO},{ONE}")
    second = await rotate(database_url, f"{TWO},{ONE}")
    rows = await sql.fetch(_BODIES)

    assert (first.code, first.errors) == (0, "")
    assert "calendly_webhook_event.body_sealed: 100 so far" in first.output
    assert f"Sealed again with the key 'k2': {EVENTS}." in first.output
    assert "No value is left under another key." in first.output
    assert second.output.startswith("Sealed again with the key 'k2': 0.")
    for row in rows:
        opened = vault(TWO).open(row["body_sealed"], bound_to(row["public_id"]))
        assert opened == Secret(f"body of {row['public_id']}")
    shown = first.output + second.output
    assert not any(secret in shown for secret in (KEY_ONE, KEY_TWO, "body of", "v1.k"))


async def test_killed_half_way_it_is_begun_again(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """A rotation that was killed left every value readable, and the next run does the rest."""
    process = await begin(database_url, f"{TWO},{ONE}")
    assert process.stdout is not None
    await process.stdout.readline()  # the first page is stored
    process.kill()
    await process.communicate()
    half_way = await sql.fetch(_BODIES)
    again = await rotate(database_url, f"{TWO},{ONE}")

    both = vault(f"{TWO},{ONE}")
    for row in half_way:
        assert both.open(row["body_sealed"], bound_to(row["public_id"]))
    assert any(both.key_id(row["body_sealed"]) == "k2" for row in half_way)
    assert again.code == 0
    assert {both.key_id(row["body_sealed"]) for row in await sql.fetch(_BODIES)} == {"k2"}


async def test_a_missing_key_is_named_with_the_remedy(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """Values under an unknown key are named, left as they are, and make the command fail."""
    before = await sql.fetch(_BODIES)

    ended = await rotate(database_url, TWO)

    assert ended.code == 1
    assert await sql.fetch(_BODIES) == before
    assert (
        f"calendly_webhook_event.body_sealed of {before[0]['public_id']}:"
        f" {EncryptionKeyUnknown.code}, key 'k1'; left as it is" in ended.errors
    )
    assert ended.errors.count("left as it is") == EVENTS
    assert "add that key to TOKEN_ENCRYPTION_KEYS again, after 'k2'" in ended.errors
    assert "v1.k1." not in ended.errors


async def test_the_command_needs_its_two_variables(database_url: Secret) -> None:
    """Without keys nothing is touched, and the variable is named."""
    ended = await rotate(database_url, "")

    assert ended.code == 2
    assert "TOKEN_ENCRYPTION_KEYS" in ended.errors
