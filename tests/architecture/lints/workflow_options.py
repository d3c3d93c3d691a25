"""Every activity is called with `**options.SOMETHING`.

`workflows.options` holds every time-out and retry policy, each with its reason. One written at the
call would have no reason, and an operator would not find it during an incident. The page loop
takes its options as a parameter, so its callers name them.
"""

import ast
from collections.abc import Iterator

from tests.architecture.source import calls, dotted


def offences(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the activity calls of workflows that bring options of their own, or none."""
    accepted = {"options", *_parameters(tree)}
    for call in calls(tree):
        owner, _, method = dotted(call.func).rpartition(".")
        if (
            owner in {"", "workflow"} and _calls_activity(method) and not _is_named(call, accepted)
        ) or (method == "run_pages" and not dotted(call.args[1]).startswith("options.")):
            yield call


def _parameters(tree: ast.Module) -> Iterator[str]:
    """Yield the parameters of the page loop that are options."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "run_pages":
            yield from (
                each.arg
                for each in node.args.args
                if each.annotation and ast.unparse(each.annotation) == "ActivityConfig"
            )


def _calls_activity(method: str) -> bool:
    return "activity" in method and method.startswith(("execute_", "start_"))


def _is_named(call: ast.Call, accepted: set[str]) -> bool:
    spread = [each.value for each in call.keywords if each.arg is None]
    written = [each.arg for each in call.keywords if each.arg not in {None, "arg", "args"}]
    return not written and len(spread) == 1 and dotted(spread[0]).split(".")[0] in accepted
