import json
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from adapters.local_stack.configuration.config import FREE_PORTS, StackConfig
from adapters.local_stack.demo.command import TUNED
from adapters.local_stack.demo.journey import Seen, walk
from adapters.local_stack.demo.stage import Stage
from adapters.local_stack.stack import LocalStack

KINDS_OF_SECRETS = {
    "access_tokens",
    "refresh_tokens",
    "codes",
    "client_secrets",
    "signing_keys",
    "invitee_emails",
}


class Walked(NamedTuple):
    """One walk through the journey, after everything was stopped again."""

    steps: list[Seen]
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
    home, recorder = traversable / "journey", Recorder()
    stack = LocalStack(StackConfig(home=home, ports=FREE_PORTS, durable=False, settings=TUNED))
    addresses = stack.start()
    stage = Stage(addresses)
    stage.api.event_hooks = {"response": [recorder]}
    try:
        steps = list(walk(stage))
        secrets = stage.control("GET", "/secrets")
    finally:
        stage.close()
        stack.stop()
    ours = json.loads((home / "credentials.json").read_text())
    secrets["our_own"] = [value for value in ours.values() if isinstance(value, str)]
    return Walked(steps, home, secrets, recorder.answers)
