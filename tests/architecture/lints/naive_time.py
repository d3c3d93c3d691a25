"""No naive time.

A datetime without an offset means another moment on each machine, and its comparison with an
aware one raises. `time.time()` is as naive: a number without unit and epoch. Only the system clock may touch the machine's time.
"""

import ast
from collections.abc import Iterator

from tests.architecture.source import calls, dotted

_NAIVE = ("utcnow", "utcfromtimestamp", "today")
_TIMES = frozenset({"time", "time_ns"})


def offences(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the calls that make a naive time."""
    from_time = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name in _TIMES
    }
    for call in calls(tree):
        name = dotted(call.func)
        owner, _, last = name.rpartition(".")
        is_datetime = owner.split(".")[-1] in {"datetime", "date"}
        is_number = name in from_time or (owner == "time" and last in _TIMES)
        if is_number or (is_datetime and _is_naive(last, call)):
            yield call


def _is_naive(method: str, call: ast.Call) -> bool:
    if method in _NAIVE:
        return True
    given = len(call.args) + len(call.keywords)
    return (method == "now" and given == 0) or (method == "fromtimestamp" and given <= 1)
