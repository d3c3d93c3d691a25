import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from subprocess import Popen

import httpx
import pytest

from domain.secret import Secret
from tests.adapters.sound_environ import SECRETS, SOUND

TIMEOUT_SECONDS = 30


@pytest.fixture
def environ(database_url: Secret) -> dict[str, str]:
    """The environment of a web process without a Temporal to reach."""
    away = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "CALENDLY_AUTH_URL": "http://127.0.0.1:1"}
    return {**SOUND, **away, "DATABASE_URL": database_url.reveal()}


@contextmanager
def web(environ: dict[str, str], *options: str) -> Iterator[tuple[Popen[str], int]]:
    """Run the web process until it answers, and end it; yields its port too."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        process = Popen(
            [sys.executable, "-m", "adapters.cli", "web", "--fd", str(descriptor), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environ, "PATH": os.environ["PATH"]},
            pass_fds=[descriptor],
        )
    try:
        _await_answer(process, f"http://127.0.0.1:{port}/health/live")
        yield process, port
    finally:
        process.kill()
        process.communicate()


def _await_answer(process: Popen[str], url: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


def test_the_web_process_serves_logs_json_and_stops_on_sigterm(environ: dict[str, str]) -> None:
    """It answers, writes only JSON lines without secrets, and ends on SIGTERM."""
    with web(environ) as (process, port):
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        refused = httpx.get(
            f"http://127.0.0.1:{port}/api/calendly/integration?email=joe@example.com",
            headers={"Authorization": "Bearer sk_not-a-key-of-anybody", "X-User-Id": "joe"},
            trust_env=False,
        )
        process.send_signal(signal.SIGTERM)
        written, complaints = process.communicate(timeout=TIMEOUT_SECONDS)

    assert metrics.is_success
    assert b"slotkeeper_build_info" in metrics.content
    assert refused.status_code == 401
    assert process.returncode in {0, -signal.SIGTERM}
    entries = [json.loads(line) for line in written.splitlines()]
    assert all({"timestamp", "level", "event", "logger"} <= entry.keys() for entry in entries)
    assert "server" not in refused.headers
    assert complaints == ""
    hidden = [*SECRETS.values(), environ["DATABASE_URL"], "joe@example", "not-a-key"]
    assert [each for each in hidden if each in written] == []


def test_a_demo_user_that_others_can_reach_ends_the_web_process(environ: dict[str, str]) -> None:
    """A page that asks for no key is refused in a sentence, before anything is served."""
    ended = subprocess.run(
        [sys.executable, "-m", "adapters.cli", "web", "--port", "0"],
        capture_output=True,
        text=True,
        env={**environ, "PATH": os.environ["PATH"], "DEMO_USER": "demo"},
        timeout=TIMEOUT_SECONDS,
        check=False,
    )

    assert ended.returncode == 2
    assert "DEMO_USER is set, but PUBLIC_URL is not this machine" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_head_has_the_headers_of_get(environ: dict[str, str]) -> None:
    """A real server answers HEAD like GET, without the body and without a complaint."""
    with web(environ) as (process, port):
        url = f"http://127.0.0.1:{port}/schema"
        head, get = httpx.head(url, trust_env=False), httpx.get(url, trust_env=False)
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=TIMEOUT_SECONDS)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert complaints == ""


def test_silent_connections_leave_room_for_requests(environ: dict[str, str]) -> None:
    """Connections that send nothing, in any number, cost no request its answer."""
    with web(environ, "--most-connections", "3") as (_, port), ExitStack() as idle:
        for _ in range(9):
            idle.enter_context(socket.create_connection(("127.0.0.1", port)))
        answers = [
            httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).status_code
            for path in ("/health/live", "/", "/health/ready")
        ]

    assert answers == [200, 200, 200]


def test_the_web_process_chooses_and_logs_a_free_port(environ: dict[str, str]) -> None:
    """With `--port 0` the log names the address that the process serves."""
    process = Popen(
        [sys.executable, "-m", "adapters.cli", "web", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environ, "PATH": os.environ["PATH"]},
    )
    try:
        assert process.stdout is not None
        entries = map(json.loads, process.stdout)
        host, port = next(e["address"] for e in entries if e["event"] == "web_socket_opened")
        _await_answer(process, f"http://{host}:{port}/health/live")
    finally:
        process.kill()
        process.communicate()


def test_a_port_in_use_ends_the_web_process(environ: dict[str, str]) -> None:
    """A port at which another program listens is an error with its remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "adapters.cli", "web", "--port", port],
            capture_output=True,
            text=True,
            env={**environ, "PATH": os.environ["PATH"]},
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    assert ended.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port} (Address already in use)" in ended.stderr
    assert "choose another port with --port" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
