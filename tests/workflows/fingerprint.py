"""The command-issuing calls of each workflow, in the order of its source.

`python -m tests.workflows.fingerprint` writes them to `fingerprints.json`; the test that compares
says when that may be done.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "workflows"
GOLDEN = Path(__file__).parent / "fingerprints.json"

MODULES = ("page_jobs.py", "*_integration.py", "paging.py")

COMMANDS = frozenset(
    {
        "execute_activity",
        "execute_activity_class",
        "execute_activity_method",
        "start_activity",
        "start_activity_class",
        "start_activity_method",
        "execute_local_activity",
        "execute_local_activity_method",
        "start_local_activity",
        "start_local_activity_method",
        "execute_child_workflow",
        "start_child_workflow",
        "continue_as_new",
        "gather",
        "sleep",
        "wait",
        "wait_condition",
        "as_completed",
        "patched",
        "deprecate_patch",
        "upsert_memo",
        "upsert_search_attributes",
        "signal",
        "uuid4",
        "random",
        # Ours: issues the commands of `paging.py`.
        "run_pages",
    }
)


def calls(source: str) -> list[str]:
    """Return each command-issuing call with its first argument and its options."""
    return [_described(node) for node in _in_order(ast.parse(source))]


def fingerprints() -> dict[str, list[str]]:
    """Return the calls of every workflow module, by its name."""
    paths = sorted({path for pattern in MODULES for path in ROOT.glob(pattern)})
    return {path.stem: calls(path.read_text()) for path in paths}


def _in_order(tree: ast.AST) -> Iterator[ast.Call]:
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node)]
    yield from sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _name(call: ast.Call) -> str | None:
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    return name if name in COMMANDS else None


def _described(call: ast.Call) -> str:
    # Of `run_pages` the second argument holds the options.
    count = 2 if _name(call) == "run_pages" else 1
    first = [ast.unparse(each) for each in call.args[:count]]
    options = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg is None]
    return " ".join([str(_name(call)), *first, *options])


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(fingerprints(), indent=1) + "\n")
