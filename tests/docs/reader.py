"""A reader who carries out the commands of a page, from top to bottom."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.configuration.credentials import Credentials
from adapters.local_stack.demo.consent_form import decide
from tests.docs.curl import request_of
from tests.docs.pages import ROOT, Block
from tests.docs.shown import missing

TIMEOUT_SECONDS = 30.0  # seconds, for what follows by itself
POLL = 0.2
HOST = "ada@example.com"
_EXPORTED = re.compile(r"^export ([A-Z_]+)=", re.MULTILINE)


class Tried(NamedTuple):
    """The result of a command: its output, and the differences from the page."""

    command: str
    output: str
    faults: list[str]


class Reader:
    """Carries out `sh` blocks, and takes later variables from the responses.

    The block directly after a `sh` block shows its result. A `console` block is not carried out:
    it has a value that the reader copies, such as an id.
    """

    def __init__(self, addresses: StackAddresses, credentials: Credentials) -> None:
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._environment = service_variables(addresses, credentials)
        self.variables = {
            "SLOTKEEPER": addresses.web_url,
            "SANDBOX": addresses.sandbox_url,
            "API_KEY": addresses.api_key,
            "CRON_SECRET": addresses.cron_secret,
        }

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def carry_out(self, blocks: list[Block]) -> list[Tried]:
        """Carry out every `sh` block in order."""
        tried: list[Tried] = []
        for block, following in zip(blocks, [*blocks[1:], Block("", "")], strict=True):
            if block.language != "sh":
                continue
            if block.text.startswith("curl "):
                shown = json.loads(following.text) if following.language == "json" else None
                tried.append(self._curl(block.text, shown))
            elif block.text.startswith("export "):
                tried.append(self._export(block.text))
            else:
                shown_text = following.text if following.language == "text" else ""
                lines = block.text.splitlines()
                tried += [self._slotkeeper(line, shown_text) for line in lines]
        return tried

    def _curl(self, command: str, shown: Any) -> Tried:
        request = request_of(command, self.variables)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            answer = self._http.send(request)
            faults = _faults(answer, shown)
            if not faults or request.method != "GET" or time.monotonic() > deadline:
                break
            time.sleep(POLL)
        if not faults:
            self._learn(answer.json())
        return Tried(command, answer.text, faults)

    def _export(self, command: str) -> Tried:
        """Run `export` lines in a shell and keep the variables that they set."""
        names = _EXPORTED.findall(command)
        printing = "".join(f'printf "%s\\n" "${name}"\n' for name in names)
        ended = subprocess.run(
            ["/bin/sh", "-e", "-c", command + printing],
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        values = ended.stdout.splitlines()
        whole = ended.returncode == 0 and len(values) == len(names) and all(values)
        self.variables |= dict(zip(names, values, strict=False))
        return Tried(command, ended.stdout + ended.stderr, [] if whole else ["sets no value"])

    def _slotkeeper(self, command: str, shown: str) -> Tried:
        program, *arguments = shlex.split(command)
        assert program == "slotkeeper"
        ended = subprocess.run(
            [sys.executable, "-m", "adapters.cli", *arguments],
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        faults = [] if ended.returncode == 0 else [f"exit status {ended.returncode}"]
        seen = {_words(line, 2) for line in ended.stdout.splitlines()}
        faults += [f"no {line!r}" for line in shown.splitlines() if _words(line, 2) not in seen]
        return Tried(command, ended.stdout + ended.stderr, faults)

    def _learn(self, answer: Any) -> None:
        match answer:
            case {"authorize_url": str(url)}:
                browser = httpx.Client(follow_redirects=True, timeout=30, trust_env=False)
                with browser:
                    end = decide(browser, browser.get(url), user=HOST).raise_for_status()
                self.variables["HANDLE"] = end.url.params["calendly_handle"]
            case {"items": [{"questions": _}, *_] as types}:
                fitting = [each for each in types if not each["questions"]]
                self.variables["EVENT_TYPE"] = fitting[0]["uri"].rsplit("/", 1)[-1]
            case {"slots": [*_, {"start": str(last)}]}:
                self.variables["SLOT"] = last


def service_variables(addresses: StackAddresses, credentials: Credentials) -> dict[str, str]:
    """Return the environment in which an operator of this stack would run `slotkeeper`."""
    kept: Mapping[str, str] = {
        name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
    }
    return {
        **kept,
        "COLUMNS": "200",
        "DATABASE_URL": addresses.database_url,
        "TEMPORAL_ADDRESS": addresses.temporal_address,
        "TEMPORAL_NAMESPACE": addresses.temporal_namespace,
        "CALENDLY_CLIENT_ID": credentials.calendly_client_id,
        "CALENDLY_CLIENT_SECRET": credentials.calendly_client_secret,
        "CALENDLY_WEBHOOK_SIGNING_KEY": credentials.calendly_signing_key,
        "CALENDLY_AUTH_URL": addresses.sandbox_url,
        "CALENDLY_API_URL": addresses.sandbox_url,
        "CRON_SECRET": credentials.cron_secret,
        "TOKEN_ENCRYPTION_KEYS": credentials.token_encryption_keys,
        "PUBLIC_URL": addresses.web_url,
    }


def _faults(answer: httpx.Response, shown: Any) -> list[str]:
    if not answer.is_success:
        return [f"answered {answer.status_code}"]
    return missing(shown, answer.json()) if shown is not None else []


def _words(line: str, count: int) -> str:
    """Return the first words of a line, which is where the pages' tables do not vary."""
    return " ".join(line.split()[:count])
