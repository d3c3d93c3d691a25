import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from adapters.doctor.examination import examine
from adapters.doctor.finding import Health
from adapters.doctor.probes import REAL_PROBES
from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer
from adapters.persistence.migrate import migrate
from adapters.temporal.connect import connect
from adapters.temporal.contract import REFRESH_TOKENS_ID, TASK_QUEUE
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from workflows.schedule_sync import apply_schedules

CLIENT = "Basic Y2xpZW50LWlkOmNsaWVudC1zM2NyZXQtdmFsdWU="  # as in SOUND


class TokenEndpoint(BaseHTTPRequestHandler):
    """An OAuth host that knows one client and no code (RFC 6749, 5.2)."""

    def do_POST(self) -> None:
        """Refuse the client, or the code."""
        known = self.headers["Authorization"] == CLIENT and self.path == "/oauth/token"
        answer = json.dumps({"error": "invalid_grant" if known else "invalid_client"}).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400 if known else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@contextmanager
def oauth_host() -> Iterator[str]:
    """Run an OAuth host and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenEndpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def environ(
    empty_database: Secret, temporal_server: TemporalDevServer
) -> Iterator[dict[str, str]]:
    """The environment of a stack of real servers, the database still empty."""
    with oauth_host() as auth_url:
        yield {
            **SOUND,
            "DATABASE_URL": empty_database.reveal(),
            "TEMPORAL_ADDRESS": temporal_server.address,
            "CALENDLY_AUTH_URL": auth_url,
            "PUBLIC_URL": "http://127.0.0.1:8000",
        }


async def health(environ: dict[str, str]) -> dict[str, Health]:
    """Return how each thing was found."""
    return {each.subject: each.health for each in await examine(environ, REAL_PROBES)}


async def test_real_servers_are_found_as_they_are(environ: dict[str, str]) -> None:
    """Over real connections each check tells a sound part from a broken one."""
    client = await connect(environ["TEMPORAL_ADDRESS"], NAMESPACE)
    await apply_schedules(client, TASK_QUEUE)
    await client.get_schedule_handle(REFRESH_TOKENS_ID).delete()
    unmigrated = await health(environ)
    await apply_schedules(client, TASK_QUEUE)
    await migrate(Secret(environ["DATABASE_URL"]))
    sound = await health(environ)
    broken = await health(
        {
            **environ,
            "DATABASE_URL": environ["DATABASE_URL"].replace("slotkeeper:", "slotkeeper:not-"),
            "TEMPORAL_NAMESPACE": "nowhere",
            "CALENDLY_CLIENT_SECRET": "another-secret",
        }
    )

    assert {each for each in unmigrated if unmigrated[each] is not Health.FINE} == {
        "Migrations",
        "Encryption keys",
        "Schedules",
    }
    assert set(sound.values()) == {Health.FINE}
    assert {each for each in broken if broken[each] is Health.WRONG} == {
        "Database",
        "Temporal",
        "Calendly credentials",
    }
