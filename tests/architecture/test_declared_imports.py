"""Every package that the product imports is a requirement that it declares."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement

from tests.architecture.source import PRODUCT, modules
from tools.lock_check import declared
from tools.lock_file import normalized
from tools.tracked import ROOT

OWN = {*PRODUCT, "piccolo_conf"}
# The embedded servers of `make dev`: the extra `local` brings them.
LOCAL = "adapters/local_stack/"


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of each import that is neither ours nor the standard library's."""
    for node in ast.walk(tree):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in OWN and top not in sys.stdlib_module_names:
                yield top


def test_what_is_imported_is_declared() -> None:
    """A package that comes only with another one could go with its next release."""
    project = declared((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {normalized(Requirement(each).name) for each in project.runtime}
    brings = packages_distributions()
    undeclared = {
        f"{module.path.as_posix()}: {name}"
        for module in modules(*PRODUCT)
        if not module.path.as_posix().startswith(LOCAL)
        for name in imported(module.tree)
        if asked.isdisjoint(normalized(each) for each in brings.get(name, ()))
    }

    assert sorted(undeclared) == []
