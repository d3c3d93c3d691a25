"""How a tool fails: one sentence with its remedy on standard error, and exit code 1."""

import sys
from collections.abc import Callable


class ToolError(Exception):
    """A tool cannot do its work; the message is one sentence that names the remedy."""


def exit_code(run: Callable[[], None]) -> int:
    """Run a tool and return its exit code: 0, 1 after a `ToolError`, 130 after Ctrl-C."""
    try:
        run()
    except ToolError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; run the same command again.\n")
        return 130
    return 0
