"""A package index on this machine, with wheels that are made for the test."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Leave the test's output alone."""


class PackageIndex:
    """A folder of wheels in the layout of PEP 503."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, version: str, needs: Sequence[str] = (), extra: str = "") -> str:
        """Offer a release; return its line in a lock, with the hash.

        `needs` are requirements; with `extra` they are those of that extra.
        """
        page = self._folder / "simple" / name
        page.mkdir(parents=True, exist_ok=True)
        wheel = write_wheel(page, name, version, needs, extra)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with (page / "index.html").open("a", encoding="utf-8") as listing:
            listing.write(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a><br>\n')
        return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Answer on loopback while the context lasts; yield the address that pip takes."""
        handler = partial(_Quiet, directory=str(self._folder))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/simple/"
            server.shutdown()


def write_wheel(
    folder: Path, name: str, version: str, needs: Sequence[str] = (), extra: str = ""
) -> Path:
    """Write a wheel with one module that is called as the package; return its path."""
    condition = f'; extra == "{extra}"' if extra else ""
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *([f"Provides-Extra: {extra}"] if extra else []),
        *(f"Requires-Dist: {each}{condition}" for each in needs),
    ]
    info = f"{name}-{version}.dist-info"
    contents = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": "\n".join([*metadata, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (contents | {f"{info}/RECORD": record}).items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return wheel
