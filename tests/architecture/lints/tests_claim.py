"""Every test says in a sentence what is true of the product, and checks it.

A test without a sentence does not say what it protects; one without a check cannot fail. A check is an `assert`, `pytest.raises` or `pytest.fail`, here or in what
the test calls from the tests' own code. A property test may claim that nothing is raised.
"""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.source import calls, dotted

Function = ast.FunctionDef | ast.AsyncFunctionDef


def offences(tree: ast.Module, checkers: set[str]) -> Iterator[ast.AST]:
    """Yield the tests without a sentence, and those that neither check nor call a checker."""
    for test in _functions(tree):
        if not test.name.startswith("test"):
            continue
        sentence = (ast.get_docstring(test) or "").strip()
        is_said = sentence.endswith(".") and " " in sentence
        is_checked = _checks(test) or _is_property(test) or _called(test) & checkers
        if not (is_said and is_checked):
            yield test


def checkers(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of the functions that check, themselves or through others."""
    functions = [each for tree in trees for each in _functions(tree)]
    called = [(each.name, _called(each)) for each in functions]
    found = {each.name for each in functions if _checks(each)}
    while True:
        more = {name for name, others in called if others & found}
        if more <= found:
            return found
        found |= more


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _checks(function: Function) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or any(
        dotted(call.func) in {"pytest.raises", "pytest.fail", "pytest.warns"}
        for call in calls(function)
    )


def _is_property(function: Function) -> bool:
    return any(dotted(each).startswith("given") for each in function.decorator_list)


def _called(function: Function) -> set[str]:
    return {dotted(call.func).rpartition(".")[2] for call in calls(function)}
