"""The sandbox as a program."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx


@contextmanager
def started(
    *options: str, environ: Mapping[str, str] | None = None, inherits: Sequence[int] = ()
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m sandbox` on a free port, and the line it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environ or {})},
        pass_fds=inherits,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_it_says_where_it_is_and_ends_cleanly_on_sigterm() -> None:
    """One line with the real address; SIGTERM ends it with status 0 and no complaint."""
    with started("--users", "50") as (process, line):
        url = line.split(" on ")[1].split(" ")[0]
        health = httpx.get(f"{url}/_control/health", trust_env=False)
        process.send_signal(signal.SIGTERM)
        rest, complaints = process.communicate(timeout=10)

    assert line.startswith("sandbox Calendly ready on http://127.0.0.1:")
    assert "53 users" in line
    assert health.json() == {"status": "ok"}
    assert (process.returncode, rest, complaints) == (0, "", "")


def test_options_come_from_the_environment_too() -> None:
    """SANDBOX_* variables replace options."""
    environment = {"SANDBOX_USERS": "7", "SANDBOX_SIGNING_KEY": "from-env"}
    with started("--resource-base", "http://x.example/", environ=environment) as (_, line):
        url = line.split(" on ")[1].split(" ")[0]
        secrets = httpx.get(f"{url}/_control/secrets", trust_env=False).json()
        users = httpx.get(f"{url}/_control/users", trust_env=False).json()

    assert secrets["signing_keys"] == ["from-env"]
    assert users["total"] == 10
    assert users["users"][0]["uri"].startswith("http://x.example/users/")


def test_it_serves_an_inherited_socket() -> None:
    """A socket that the starting process opened is served, whatever the default port is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        with started("--fd", str(descriptor), inherits=[descriptor]) as (_, line):
            health = httpx.get(f"http://127.0.0.1:{port}/_control/health", trust_env=False)

    assert f"ready on http://127.0.0.1:{port} " in line
    assert health.json() == {"status": "ok"}


def test_a_port_in_use_is_an_error() -> None:
    """A second sandbox on the same port ends with a message and its remedy, not a traceback."""
    with started() as (_, line):
        port = line.rsplit(":", 1)[1].split(" ")[0]
        with started("--port", port) as (second, _):
            _, complaint = second.communicate(timeout=10)

    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in complaint
    assert "choose another port with --port" in complaint
    assert "Traceback" not in complaint
