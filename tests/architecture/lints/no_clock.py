"""No clock in domain, application and workflows.

A rule that asks what time it is gives another answer each time it is tested, and a workflow that
does cannot be replayed. The time is an argument in the domain, a port in the application, and
`workflow.now()` in a workflow.
"""

import ast
from collections.abc import Iterator

from tests.architecture.source import calls, dotted

_READS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
# `time.monotonic` only measures durations, which is allowed.


def offences(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the calls that read the machine's clock."""
    for call in calls(tree):
        if dotted(call.func).endswith(_READS):
            yield call
