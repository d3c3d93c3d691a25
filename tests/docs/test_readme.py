"""The commands of the executed pages, carried out as written against a running stack."""

import io
import json
import re

import httpx
from rich.console import Console

from adapters.local_stack.demo.journey import STEPS
from adapters.local_stack.foreground import announce
from tests.docs.conftest import Read
from tests.docs.pages import README, TUTORIAL, Block
from tests.docs.shown import missing

_PROGRESS = re.compile(r"^ *[0-9.]+ s  (.+) ready$", re.MULTILINE)
_ROW = re.compile(r"^  (\S+(?: \S+)*)  +\S+ *$", re.MULTILINE)
_STEP = re.compile(r"^✓ +(\d+)/(\d+) (.+)$", re.MULTILINE)


def transcript(command: str) -> Block:
    """Return the block that shows a command with its output."""
    return next(each for each in README.blocks if each.text.startswith(f"$ {command}\n"))


def test_every_command_has_the_shown_result(read: Read) -> None:
    """From top to bottom, each command succeeds and has the result that the page shows below it."""
    failed = {each.command: [*each.faults, each.output] for each in read.tried if each.faults}

    assert failed == {}
    assert len(read.tried) >= 20


def test_the_shown_problem_is_the_real_one(read: Read) -> None:
    """An error has the form that the tutorial shows."""
    shown = next(
        json.loads(each.text) for each in TUTORIAL.blocks if '"urn:slotkeeper:problem' in each.text
    )

    seen = httpx.get(f"{read.addresses.web_url}/api/calendly/integration", trust_env=False).json()

    assert missing(shown, seen) == []
    assert seen["detail"] == shown["detail"]


def test_the_shown_start_is_the_real_one(read: Read) -> None:
    """`make dev` names the same parts in the same order, and ends with the same table."""
    shown = transcript("make dev").text
    screen = io.StringIO()

    announce(Console(file=screen, width=200), read.addresses, {})

    assert sorted(_PROGRESS.findall(shown)) == sorted(read.parts)
    assert _ROW.findall(shown) == _ROW.findall(screen.getvalue())
    assert len(_ROW.findall(shown)) >= 7


def test_the_shown_demo_is_the_real_one() -> None:
    """`make demo` has as many steps as the README says, and they are called the same."""
    shown = _STEP.findall(transcript("make demo").text)

    assert len(shown) >= 5
    assert {int(total) for _, total, _ in shown} == {len(STEPS)}
    assert [(int(number), title) for number, _, title in shown] == [
        (number, step.title)
        for number, step in enumerate(STEPS, start=1)
        if str(number) in {each for each, _, _ in shown}
    ]
