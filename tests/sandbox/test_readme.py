"""The README's commands, carried out as written."""

import shlex
from pathlib import Path

import httpx

import sandbox as package
from sandbox.__main__ import main
from tests.sandbox.client import Sandbox

README = Path(package.__path__[0]) / "README.md"


def commands() -> list[str]:
    """Every line of the shell blocks, in order."""
    blocks = README.read_text().split("```sh\n")[1:]
    return [line for block in blocks for line in block.split("```")[0].splitlines() if line]


def request_of(command: str, base_url: str) -> httpx.Request:
    """Return the request of `curl [-X METHOD] URL [-d JSON]`."""
    words = shlex.split(command.replace("$SANDBOX", base_url))
    assert words.pop(0) == "curl"
    method, body, url = "GET", None, ""
    while words:
        match words.pop(0):
            case "-X":
                method = words.pop(0)
            case "-d":
                body = words.pop(0)
            case word:
                url = word
    return httpx.Request(method, url, content=body)


async def test_every_command_of_the_readme_succeeds(sandbox: Sandbox, base_url: str) -> None:
    """In the order of the page, against a fresh sandbox."""
    failed = {}
    for command in commands():
        answer = await sandbox.http.send(request_of(command, base_url))
        if not answer.is_success:
            failed[command] = answer.text

    assert len(commands()) > 30
    assert failed == {}


def test_the_readme_names_every_option_and_switch_file() -> None:
    """Every option of `--help` is in the table of options."""
    text = README.read_text()
    options = [name for param in main.params for name in param.opts]

    assert len(options) > 8
    assert [name for name in options if f"`{name}`" not in text] == []
