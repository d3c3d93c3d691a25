"""The operating page's commands for dead letters, carried out as written."""

import shlex

from domain.secret import Secret
from tests.adapters.cli.test_webhook_commands import dead, slotkeeper
from tests.docs.pages import OPERATING

__all__ = ["dead"]


def commands(word: str) -> list[list[str]]:
    """Return the page's commands that have this word, each without the program's name."""
    lines = [
        line
        for each in OPERATING.blocks
        if each.language == "sh"
        for line in each.text.splitlines()
        if line.startswith(f"slotkeeper {word}")
    ]
    return [shlex.split(line)[1:] for line in lines]


async def test_dead_letters_are_found_and_put_back(database_url: Secret, dead: list[str]) -> None:
    """Each command of the page works on a dead letter, and afterwards none is left."""
    shown = commands("webhooks")
    for words in shown:
        named = [dead[0] if word == "ID" else word for word in words]
        ended = await slotkeeper(database_url, *named)
        assert (ended.code, ended.errors) == (0, ""), words

    left = await slotkeeper(database_url, *shown[0])

    assert len(shown) == 6
    assert left.output == "There are none.\n"
