"""Every activity is called with `**options.SOMETHING`.

A time-out or retry policy written at the call is one that nobody argued and nobody finds when an
incident asks for it. `workflows.options` holds all of them, each with its reason.
"""

import ast
from collections.abc import Iterator

from tests.architecture.source import calls, dotted


def offences(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the activity calls of workflows that bring options of their own, or none."""
    for call in calls(tree):
        owner, _, method = dotted(call.func).rpartition(".")
        if owner in {"", "workflow"} and _calls_activity(method) and not _is_named(call):
            yield call


def _calls_activity(method: str) -> bool:
    return "activity" in method and method.startswith(("execute_", "start_"))


def _is_named(call: ast.Call) -> bool:
    spread = [each.value for each in call.keywords if each.arg is None]
    written = [each.arg for each in call.keywords if each.arg not in {None, "arg", "args"}]
    return not written and len(spread) == 1 and dotted(spread[0]).startswith("options.")
