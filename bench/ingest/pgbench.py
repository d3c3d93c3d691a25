"""The rate of the same insert alone, by PostgreSQL's own pgbench."""

import asyncio
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from adapters.local_stack.processes.environment import plain_environment
from bench.ingest.bodies import BODY_BYTES
from bench.stack import Stack
from bench.usage import cpu_seconds

# The length of a body after encryption and base64.
_STORED_CHARACTERS = (BODY_BYTES + 28) * 4 // 3
_DONE = re.compile(rb"actually processed: (\d+)")
_RATE = re.compile(rb"tps = ([0-9.]+)")


class Inserted(NamedTuple):
    """Rows a second, and microseconds of PostgreSQL's CPU a row."""

    rate: float
    cpu: float


async def pgbench(stack: Stack, connections: int, seconds: int) -> Inserted:
    """Insert events, one a transaction, over so many connections."""
    program = stack.postgres.programs / "pgbench"
    script = stack.folder / "insert.sql"
    script.write_text(_script())
    pid = stack.postgres.child.pid
    before = cpu_seconds(pid)
    output = await _run(program, script, stack.postgres.dsn, connections, seconds)
    spent = cpu_seconds(pid) - before
    done, rate = _DONE.search(output), _RATE.search(output)
    if done is None or rate is None:
        raise RuntimeError("pgbench reported neither its inserts nor their rate")
    return Inserted(float(rate.group(1)), 1e6 * spent / int(done.group(1)))


async def _run(program: Path, script: Path, dsn: str, connections: int, seconds: int) -> bytes:
    address = urlsplit(dsn)
    process = await asyncio.create_subprocess_exec(
        str(program),
        *("-n", "-M", "prepared", "-f", str(script)),
        *("-c", str(connections), "-j", "2", "-T", str(seconds)),
        *("-h", str(address.hostname), "-p", str(address.port), "-U", str(address.username)),
        address.path.lstrip("/"),
        env=plain_environment() | {"PGPASSWORD": str(address.password)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=os.fspath(script.parent),
    )
    output, _ = await process.communicate()
    return output


def _script() -> str:
    body = secrets.token_hex(_STORED_CHARACTERS // 2 + 1)[:_STORED_CHARACTERS]
    return f"""
INSERT INTO calendly_webhook_event (public_id, dedupe_key, kind, body_sealed, received_at,
    occurred_at, integration_id, user_id, attempts, status, settled_at, next_attempt_at)
SELECT gen_random_uuid(), gen_random_uuid()::text, 'invitee.created', '{body}', now(), now(),
    i.id, i.user_id, 0, 'applied', now(), now()
FROM (SELECT id, user_id FROM calendly_integration LIMIT 1) i
ON CONFLICT (dedupe_key) DO NOTHING;
"""
