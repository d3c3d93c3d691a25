"""The page on security: each attack names tests that exist, and the ways in are the real ones."""

import ast
import json
import re

import pytest

from tests.docs.pages import ROOT, page

SECURITY = page("docs/security.md")
_TEST = re.compile(r"`(test_\w+)` in `(tests/[\w/]+\.py)`")
_SECTION = re.compile(r"^## Attacks that are in the tests$(.*)\Z", re.MULTILINE | re.DOTALL)
_DOCUMENT = ROOT / "tests/adapters/web/openapi/openapi.json"

NAMED = _TEST.findall(SECURITY.text)


def attacks() -> list[str]:
    """Return the rows of the table of attacks, without its head."""
    (section,) = _SECTION.findall(SECURITY.text)
    return [line for line in section.splitlines() if line.startswith("| ")][1:]


def test_each_attack_has_a_test() -> None:
    """A row without a test is a claim that no test holds."""
    assert len(attacks()) >= 25
    assert [row for row in attacks() if not _TEST.search(row)] == []


@pytest.mark.parametrize("named", NAMED, ids="-".join)
def test_the_test_exists(named: tuple[str, str]) -> None:
    """The file has a function of this name."""
    name, path = named
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_way_in_is_listed() -> None:
    """Each path of the OpenAPI document is below a way in that the page has."""
    ways = ("/api/calendly/", "/api/webhook-events", "/api/invitees/", "/api/users/", "/api/cron/")
    others = ("/health/", "/api/audit")
    paths = json.loads(_DOCUMENT.read_text(encoding="utf-8"))["paths"]

    assert [path for path in paths if not path.startswith((*ways, *others))] == []
    assert [each for each in (*ways, *others) if each not in SECURITY.text] == []


def test_the_number_of_ways_is_the_real_one() -> None:
    """The page says in how many ways a link is passed on in the tests."""
    path = "tests/adapters/web/controllers/test_passed_on_links.py"
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    (table,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == "ATTACKS"
    ]

    assert isinstance(table, ast.Dict)
    assert f"passed on, in {len(table.keys)} ways" in SECURITY.text
