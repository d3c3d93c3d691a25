"""The proxies of docs/hardening.md let no spelling of an operators' path through."""

import asyncio
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
import structlog
import uvicorn

from domain.secret import Secret
from tests.adapters.web.real_edge import Edge, open_edge

PAGE = (Path(__file__).parents[3] / "docs" / "hardening.md").read_text(encoding="utf-8")
UPSTREAM = "10.0.0.11:8000"
CALLBACK = "/api/calendly/callback"
DELIVERIES = "/api/calendly/webhooks"
STYLE = "/static/slotkeeper.css"
OPERATORS = (
    "/api/audit",
    "/api/webhook-events",
    "/api/webhook-events/replay-dead-letters",
    "/api/invitees/erase",
    "/api/users/ada",
    "/api/cron/refresh-calendly-tokens",
    "/metrics",
    "/schema",
    "/health/ready",
)
PUBLIC = {CALLBACK, DELIVERIES, f"{DELIVERIES}/{{subscription_key}}", STYLE, "unmatched"}
"""Routes that these spellings may reach; the service answers 404 to what is unmatched."""

METHODS = ("GET", "POST", "DELETE")
PROXIES = ("haproxy", "nginx")
_CERTIFICATE = r"\s+ssl_certificate \S+;\s+ssl_certificate_key \S+;"
_DEFAULTS = """defaults
    timeout connect 5s
    timeout client 9s
    timeout server 9s
"""


def spellings(path: str) -> Iterator[str]:
    """Return request targets that some reader may take for the path."""
    inner, first, last = path[1:], path[1], path[-1]
    slashed = path.replace("/", "%2f")
    yield from (path, f"{path}?x=1", f"{path}#x", f"{path}%23", f"{path}%3f", f"{path}?/../x")
    yield from (f"/{path}", f"//{path}", f"/.{path}", f"/./{inner}", f"/%2e{path}", f"/.;{path}")
    yield from (f"/x/..{path}", f"/x/%2e%2e{path}", f"/x/..;{path}", f"/x/..%2f{inner}")
    yield from (f"{path}/", f"{path}//", f"{path}/.", f"{path}%2f", f"{path};x", f"{path};")
    yield from (f"{path}%00", f"{path}%20", f"{path}%0a", f"{path}%0d%0a", f"{path}..", f"{path}%")
    yield from (f"/%{ord(first):02x}{path[2:]}", f"{path[:-1]}%{ord(last):02X}")
    yield from (f"/%25{ord(first):02x}{path[2:]}", path.upper(), path.title(), slashed[3:])
    yield from (f"/{slashed[3:]}", slashed, slashed.upper(), path.replace("/", "%5c"))
    yield from (path.replace("/", "\\"), f"/{inner}".replace("/", "/\\"), f"/\\{inner}")
    yield from (path.replace("/", "%ef%bc%8f"), path.replace("/", "%c0%af"))
    yield from (f"http://127.0.0.1{path}", f"http://x/{path}", f"https://127.0.0.1:443{path}")
    for public in (CALLBACK, DELIVERIES, f"{DELIVERIES}/key", STYLE):
        up = public.count("/") * "/.."
        yield from (f"{public}{up}{path}", f"{public}{up.replace('..', '%2e%2e')}{path}")
        yield from (f"{public}{up.replace('/', '%2f')}{slashed}", f"{public}{slashed}")
        yield from (f"{public}{up.replace('..', '..;')}{path}", f"{public}?{path}", public + path)
        yield from (f"{public};{up}{path}", f"{public}%00{path}", f"{public}%3f{up}{path}")


class Served(NamedTuple):
    """The service at a socket, and the routes that it was asked for."""

    edge: Edge
    port: int
    routes: list[Any]


@pytest.fixture
async def served(database_url: Secret, sandbox_url: str) -> AsyncIterator[Served]:
    """The whole service at a free port, with its access log."""
    log = structlog.testing.LogCapture()
    async with open_edge(database_url, sandbox_url) as edge:
        structlog.configure(processors=[log])
        app = cast(Any, edge.client._transport).app
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            task = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield Served(edge, listener.getsockname()[1], log.entries)
            finally:
                server.should_exit = True
                await task
                structlog.reset_defaults()


def blocks(language: str) -> list[str]:
    """Return the page's configurations in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def configuration(proxy: str, folder: Path, port: int) -> str:
    """Return the page's configuration: at sockets of the folder, in front of that port.

    Only the addresses and certificates differ from the page. Each is replaced exactly once.
    """
    text = "\n".join(blocks(proxy))
    listens = {
        "haproxy": (r"bind (\S+) ssl crt \S+", "bind unix@{}"),
        "nginx": (rf"listen (\S+) ssl;{_CERTIFICATE}", "listen unix:{};"),
    }
    pattern, wanted = listens[proxy]
    for name, found in zip(("public", "api"), list(re.finditer(pattern, text)), strict=True):
        assert text.count(found[0]) == 1
        text = text.replace(found[0], wanted.format(folder / f"{name}.sock"))
    assert text.count(UPSTREAM) == 1
    text = text.replace(UPSTREAM, f"127.0.0.1:{port}")
    if proxy == "haproxy":
        return f"{_DEFAULTS}{text}"
    temporary = "".join(
        f"{each}_temp_path {folder}/{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}\n"
        f"http {{ access_log off; {temporary} {text} }}"
    )


def written(proxy: str, folder: Path, port: int) -> Path:
    """Write the configuration where the proxy's own user can read it; return its path."""
    folder.chmod(0o755)
    path = folder / "proxy.conf"
    path.write_text(configuration(proxy, folder, port), encoding="utf-8")
    return path


def listening(folder: Path) -> bool:
    """Whether both sockets exist."""
    return all((folder / f"{each}.sock").exists() for each in ("public", "api"))


@asynccontextmanager
async def running(proxy: str, folder: Path, port: int) -> AsyncIterator[None]:
    """Run a proxy until the body ends."""
    path = written(proxy, folder, port)
    process = await asyncio.create_subprocess_exec(
        *(f"/usr/sbin/{proxy}", "-f" if proxy == "haproxy" else "-c", str(path)),
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(200):
            if listening(folder):
                break
            assert process.returncode is None, (await process.communicate())[1].decode()
            await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def send(path: Path, method: str, target: str, key: str) -> int:
    """Send a request to the letter; return the status, or 0 if the connection was closed."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(
        f"{method} {target} HTTP/1.1\r\nHost: slots.example.com\r\nAuthorization: Bearer {key}\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    try:
        async with asyncio.timeout(10):
            line = await reader.readline()
    finally:
        writer.close()
    return int(line.split()[1]) if line else 0


@pytest.mark.parametrize("proxy", PROXIES)
async def test_no_spelling_of_an_operators_path_passes(
    served: Served, proxy: str, tmp_path: Path
) -> None:
    """Of all spellings, with an operator's key, none reaches another route than the public ones."""
    if shutil.which(proxy, path="/usr/sbin:/usr/bin") is None:
        pytest.skip(f"{proxy} is not installed")
    key, sent = served.edge.key, 0

    async with running(proxy, tmp_path, served.port):
        for name in ("public", "api"):
            assert await send(tmp_path / f"{name}.sock", "GET", f"{CALLBACK}?state=x", key)
            for path in OPERATORS:
                for target in spellings(path):
                    for method in METHODS if target == path else ("GET",):
                        status = await send(tmp_path / f"{name}.sock", method, target, key)
                        is_style = target.partition("?")[0] == STYLE
                        assert is_style or status not in range(200, 400), (name, method, target)
                        sent += 1

    reached = {each["route"] for each in served.routes if each["event"] == "request"}
    assert sent >= 2 * 40 * len(OPERATORS)
    assert CALLBACK in reached
    assert reached <= PUBLIC


@pytest.mark.parametrize("proxy", PROXIES)
async def test_the_public_paths_pass(served: Served, proxy: str, tmp_path: Path) -> None:
    """Calendly's deliveries, the callback and its style sheet reach the service."""
    if shutil.which(proxy, path="/usr/sbin:/usr/bin") is None:
        pytest.skip(f"{proxy} is not installed")
    key = served.edge.key

    async with running(proxy, tmp_path, served.port):
        public, api = tmp_path / "public.sock", tmp_path / "api.sock"
        seen = [
            await send(public, "POST", DELIVERIES, key),
            await send(public, "POST", f"{DELIVERIES}/{'k' * 43}", key),
            await send(public, "GET", STYLE, key),
            await send(public, "GET", f"{CALLBACK}?state=x&code=y", key),
            await send(public, "GET", "/api/calendly/bookings", key),
            await send(api, "GET", "/api/calendly/bookings", key),
        ]

    # Deliveries without a signature, a flow that does not exist, and a call that names no user:
    # each was answered by the service, and one by the proxy.
    assert seen == [401, 401, 200, 400, 404, 400]


async def test_without_a_proxy_an_operators_path_is_reached(served: Served) -> None:
    """The requests of these tests reach the routes where nothing forbids them."""
    answer = await served.edge.client.get(
        OPERATORS[0], headers={"Authorization": f"Bearer {served.edge.key}"}
    )

    assert answer.status_code == 200
    assert {each["route"] for each in served.routes} == {OPERATORS[0]}


@pytest.mark.parametrize("path", OPERATORS)
def test_there_are_forty_spellings(path: str) -> None:
    """Each path has at least 40 spellings, all different."""
    assert len(set(spellings(path))) >= 40
