"""Everything that the pages name exists, under that name."""

import re
from pathlib import Path
from typing import get_args

import click
import pytest
from prometheus_client import Counter

from adapters.cli import main
from adapters.commands.lazy import LazyCommand
from adapters.local_stack.command import dev_command
from adapters.settings import Settings
from adapters.telemetry.metrics import Counters
from adapters.web.errors.framework_errors import _BY_STATUS
from adapters.web.errors.problem_table import PROBLEMS
from adapters.web.http.refusals import REFUSED
from adapters.web.schemas.integration import Integration
from domain.integration import Cause
from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS
from sandbox.__main__ import main as sandbox_command
from tests.docs.pages import (
    CLI,
    CONTRIBUTING,
    DEPLOYING,
    GLOSSARY,
    OPERATING,
    PAGES,
    README,
    ROOT,
    Page,
    page,
)
from workflows.schedule_table import SCHEDULES

_MAKE = re.compile(r"(?:^\$ |`)make ([a-z][a-z-]*)", re.MULTILINE)
_SLOTKEEPER = re.compile(
    r"(?:^\$? ?|`)slotkeeper ((?:[a-z-]+|--[a-z-]+)(?: [^\n`]+)?)", re.MULTILINE
)
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_EXPORTED = re.compile(r"\b([A-Z][A-Z0-9_]*)=")
_METRIC = re.compile(r"\bslotkeeper_[a-z_]+")
_FOLDERS = ("domain", "application", "adapters", "workflows", "sandbox", "tests", "docs")

# Read by the libraries and tools that are named beside them.
FOREIGN = {"FORWARDED_ALLOW_IPS", "UV_DEFAULT_INDEX"}

every_page = pytest.mark.parametrize("at", PAGES, ids=lambda at: at.path.as_posix())


@every_page
def test_every_make_target_exists(at: Page) -> None:
    """`make …` works as it is written."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    assert set(_MAKE.findall(at.text)) <= targets


def test_the_pages_name_make_targets() -> None:
    """The README has the commands to start, to see every flow, to test and to check."""
    assert {"dev", "demo", "test", "lint"} <= set(_MAKE.findall(README.text))


def test_the_readme_is_short() -> None:
    """A newcomer reads the README in five minutes; the rest is in docs/."""
    assert len(README.text.splitlines()) <= 155


def test_the_index_lists_every_page() -> None:
    """Every page of docs/ has its line in the index."""
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}

    listed = set(page("docs/README.md").links)

    assert pages - listed == set()


@every_page
def test_every_command_exists_with_its_options(at: Page) -> None:
    """`slotkeeper …` is a command, and takes the options it is shown with."""
    unknown = [words for words in _SLOTKEEPER.findall(at.text) if not is_command(words.split())]

    assert unknown == []


def test_the_page_of_commands_names_every_command_of_an_operator() -> None:
    """The page of commands has everything that the program does in production."""
    named = {words.split()[0] for words in _SLOTKEEPER.findall(CLI.text)}

    assert set(main.commands) - {"dev", "demo", "sandbox"} <= named


def is_command(words: list[str]) -> bool:
    """Whether the command line knows these words; values and placeholders may be anything."""
    command: click.Command = main
    for word in words:
        if isinstance(command, click.Group):
            found = command.commands.get(word)
            if found is None:
                return False
            command = found.load() if isinstance(found, LazyCommand) else found
        elif word.startswith("--") and word not in options_of(command):
            return False
    return True


def options_of(command: click.Command) -> set[str]:
    """Return the options of a command, as they are written."""
    return {option for parameter in command.params for option in parameter.opts}


@every_page
def test_every_link_leads_somewhere(at: Page) -> None:
    """A link to a file of the repository, and to a heading in it, works."""
    broken = [link for link in at.links if not link.startswith("http") and not leads(at, link)]

    assert broken == []


def leads(at: Page, link: str) -> bool:
    """Whether a relative link has its file, and that file its heading."""
    path, _, anchor = link.partition("#")
    target = (at.path.parent / path) if path else at.path
    if not (ROOT / target).exists():
        return False
    return not anchor or anchor in page(target.as_posix()).anchors


@every_page
def test_every_path_exists(at: Page) -> None:
    """A file or folder of the code that is named is there."""
    named = [span for span in at.spans if span.split("/")[0] in _FOLDERS and "/" in span]

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_layout_is_the_real_one() -> None:
    """Every folder and module of the tree in CONTRIBUTING.md exists."""
    tree = next(each.text for each in CONTRIBUTING.blocks if each.text.startswith("domain/"))
    parent, absent = Path(), []
    for line in tree.splitlines():
        name = line.split()[0]
        parent = Path(name) if not line.startswith(" ") else parent
        path = parent if not line.startswith(" ") else parent / name
        absent += [] if (ROOT / path).exists() else [str(path)]

    assert absent == []


@every_page
def test_every_variable_is_read_by_something(at: Page) -> None:
    """Each variable of a page belongs to the service, the local stack, the sandbox or the page."""
    settings = {field.upper() for field in Settings.__struct_fields__}
    stack = {str(option.envvar) for option in dev_command.params if option.envvar}
    on_page = {
        name
        for block in at.blocks
        if block.language == "console"
        for name in _EXPORTED.findall(block.text)
    }
    sandbox = {f"SANDBOX_{option.name}".upper() for option in sandbox_command.params}
    known = settings | {f"{name}_FILE" for name in settings} | stack | sandbox | on_page | FOREIGN

    assert set(_VARIABLE.findall(at.text)) - known == set()


def test_every_variable_without_a_default_is_explained() -> None:
    """The table of settings has every variable that must be set."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    required = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))

    assert required - set(_VARIABLE.findall(DEPLOYING.prose)) == set()


def test_every_error_code_is_explained_with_its_status() -> None:
    """The operating page has every code that a caller can receive, with its status."""
    codes = {error.code: row.status for error, row in PROBLEMS.items()}

    explained = {row[0]: int(row[1]) for row in OPERATING.rows if row[1:2] and row[1].isdigit()}

    assert explained == codes
    for fault in _BY_STATUS.values():
        assert fault.code in codes or f"`{fault.code}` ({fault.status}" in OPERATING.text


def test_every_cause_is_explained() -> None:
    """Why a connection was lost can be looked up."""
    assert {row[0] for row in OPERATING.rows} >= set(Cause)


def test_every_metric_exists_with_its_labels_and_every_one_is_explained() -> None:
    """The operating page has the metrics of `/metrics`, with their labels."""
    counters = Counters("0")
    labels = {
        f"{metric._name}_total" if isinstance(metric, Counter) else metric._name: set(
            metric._labelnames
        )
        for metric in (*vars(counters).values(), REFUSED)
        if hasattr(metric, "_labelnames")
    }

    explained = {
        row[0]: set(re.findall(r"\w+", row[1]))
        for row in OPERATING.rows
        if _METRIC.fullmatch(row[0])
    }

    assert explained == labels
    assert set(_METRIC.findall(OPERATING.text)) == set(labels)


def test_the_schedules_are_the_real_ones() -> None:
    """The table of schedules has the real times."""
    shown = {row[0]: row[1] for row in DEPLOYING.rows if "calendly" in row[0] and "*" in row[1]}

    assert shown == {each.id: each.cron for each in SCHEDULES}


def test_the_states_of_an_integration_are_explained() -> None:
    """The glossary has every status that the API can answer with."""
    text = GLOSSARY.text
    status = Integration.__annotations__["status"]

    assert [each for each in get_args(status) if f"`{each}`" not in text] == []


@every_page
def test_every_webhook_kind_is_one_of_calendlys(at: Page) -> None:
    """A kind of webhook that a page names is one that is applied here."""
    named = {span for span in at.spans if re.fullmatch(r"(?:invitee|event_type)\w*\.\w+", span)}

    assert named <= INVITEE_KINDS | NO_SHOW_KINDS | EVENT_TYPE_KINDS


def test_the_decisions_are_listed() -> None:
    """The index of the decisions has each of them, under its own title."""
    folder = ROOT / "docs" / "decisions"
    decisions = [path for path in sorted(folder.glob("*.md")) if path.name != "README.md"]

    listed = [line for line in (folder / "README.md").read_text().splitlines() if line[:2] == "- "]

    assert len(decisions) >= 11
    assert listed == [
        f"- [{number}]({path.name}) {title}"
        for path in decisions
        for number, title in [path.read_text().splitlines()[0].removeprefix("# ").split(" ", 1)]
    ]
