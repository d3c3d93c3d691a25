import io
import json
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from rich.console import Console

from adapters.local_stack.demo.journey import walk
from adapters.local_stack.demo.stage import open_stage

KINDS_OF_SECRETS = {
    "access_tokens",
    "refresh_tokens",
    "codes",
    "client_secrets",
    "signing_keys",
    "invitee_emails",
}


class Walked(NamedTuple):
    """One walk of `slotkeeper demo`, after everything was stopped again."""

    passed: bool
    printed: list[str]
    home: Path
    secrets: dict[str, list[str]]
    answers: list[str]


class Recorder:
    """Keeps what the service answers, headers included."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    def __call__(self, response: httpx.Response) -> None:
        """Keep an answer; called by httpx for each."""
        response.read()
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.answers.append(f"{response.request.url.path}\n{headers}\n{response.text}")


@pytest.fixture(scope="session")
def walked(traversable: Path) -> Walked:
    """The journey, walked once on a stack of its own."""
    home, recorder, screen = traversable / "journey", Recorder(), io.StringIO()
    with open_stage(home, durable=False) as stage:
        stage.api.event_hooks = {"response": [recorder]}
        passed = walk(Console(file=screen, width=1_000), stage)
        secrets = stage.control("GET", "/secrets")
    ours = json.loads((home / "credentials.json").read_text())
    del ours["calendly_client_id"]  # public: it is in the address of the consent page
    secrets["our_own"] = [value for value in ours.values() if isinstance(value, str)]
    return Walked(passed, screen.getvalue().splitlines(), home, secrets, recorder.answers)
