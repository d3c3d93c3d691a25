"""Takes the place of the service's command line and the sandbox: quick, and writes a journal.

    fake_programs.py JOURNAL FAULTS (slotkeeper COMMAND ... | sandbox ...)

Each start and orderly stop is a line in JOURNAL. FAULTS is a comma-separated list of
`NAME:die` (end with status 3 after a last word) and `NAME:mute` (never become ready).
"""

import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class Answer200(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing: its log shows last words only."""


class FakeProgram:
    def __init__(self, journal: Path, faults: str, arguments: list[str]) -> None:
        self.journal = journal
        self.faults = faults.split(",")
        self.arguments = arguments
        self.name = arguments[1] if arguments[0] == "slotkeeper" else arguments[0]
        if "trigger" in arguments:
            self.name = " ".join(arguments[1:])

    def run(self) -> None:
        self.note("started")
        if f"{self.name}:die" in self.faults:
            print(f"the last word of {self.name}", file=sys.stderr)  # noqa: T201
            sys.exit(3)
        if self.name == "keys":
            print(f"key-{os.getpid()}-{time.time_ns()}")  # noqa: T201
        elif self.name in {"web", "worker", "sandbox"}:
            self.serve()
        self.note("ended")

    def serve(self) -> None:
        """Stay until SIGTERM."""
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
        if f"{self.name}:mute" not in self.faults:
            self.become_ready()
        stopped.wait()
        self.note("asked to stop, with " + " ".join(self.servers_up()))

    def become_ready(self) -> None:
        if self.name == "worker":
            Path(self.options("--ready-file")[0]).touch()
            return
        for descriptor in self.options("--fd"):
            server = HTTPServer(("", 0), Answer200, bind_and_activate=False)
            server.socket = socket.socket(fileno=int(descriptor))
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def options(self, name: str) -> list[str]:
        """The values of `NAME=VALUE`."""
        found = [each.partition("=") for each in self.arguments]
        return [value for option, _, value in found if option == name]

    def servers_up(self) -> list[str]:
        """The servers of its environment that accept connections now."""
        environment = os.environ
        ports = {
            "postgres": urlsplit(environment.get("DATABASE_URL", "//:0")).port,
            "temporal": urlsplit("//" + environment.get("TEMPORAL_ADDRESS", ":0")).port,
            "sandbox": urlsplit(environment.get("SANDBOX_URL", "//:0")).port,
        }
        return [name for name, port in ports.items() if port and accepts(port)]

    def note(self, what: str) -> None:
        with self.journal.open("a") as file:
            file.write(f"{self.name} {what}\n")


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    FakeProgram(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]).run()
