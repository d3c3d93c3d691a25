"""A stack in the foreground: it prints its progress and addresses, runs, and stops on a signal.

Only for the main thread of a process of its own: it handles the process's signals.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from types import FrameType

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.configuration.config import StackConfig
from adapters.local_stack.stack import LocalStack

_WATCH_SECONDS = 0.25
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LABELS = {
    "web": "web page",
    "sandbox": "sandbox Calendly",
    "temporal": "Temporal",
    "temporal_ui": "Temporal UI",
    "postgres": "database",
    "worker_metrics": "worker metrics",
}


class _StopRequested(BaseException):
    """A signal asked the stack to stop. Like KeyboardInterrupt, it is not an error."""


def run_in_foreground(config: StackConfig, parent: int | None = None) -> None:
    """Return after Ctrl-C or SIGTERM, or when *parent* is no longer the parent process.

    Raises `LocalStackError` when the stack does not start or one of its children ends. In both
    cases no process is left.
    """
    for number in _SIGNALS:
        signal.signal(number, _raise_once)
    console = Console(highlight=False)
    stack = LocalStack(config, on_progress=_progress(console))
    try:
        announce(console, stack.start(), stack.replaced_ports)
        _watch(stack, parent)
    except _StopRequested:
        console.print("Stopping …")
    finally:
        stack.stop()
    console.print("Stopped.")


def _raise_once(_number: int, _frame: FrameType | None) -> None:
    # A second signal would leave the stack half stopped.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise _StopRequested


def _progress(console: Console) -> Callable[[str], None]:
    started_at = time.monotonic()

    def report(part: str) -> None:
        console.print(f"{time.monotonic() - started_at:5.1f} s  {part} ready", style="dim")

    return report


def _watch(stack: LocalStack, parent: int | None) -> None:
    """Never return: raise what ends the stack."""
    while True:
        stack.raise_if_a_child_ended()
        if parent is not None and os.getppid() != parent:
            raise _StopRequested
        time.sleep(_WATCH_SECONDS)


def announce(console: Console, addresses: StackAddresses, replaced: Mapping[str, int]) -> None:
    """Print the addresses and a first request; *replaced* are the ports in use, by part."""
    _print_whole(console, _table(addresses))
    for part, port in replaced.items():
        message = f"{LABELS[part]}: port {port} is in use, another one was chosen."
        console.print(message, style="yellow")
    console.print(
        "\nConnect a Calendly account; open the address that this answers in a browser:\n"
    )
    # Unstyled and unwrapped, to be copied.
    console.print(first_request(addresses), soft_wrap=True, markup=False, highlight=False)
    console.print(
        "\nThen confirm it, with calendly_handle of the address where the browser ends:\n"
    )
    console.print(confirmation(addresses), soft_wrap=True, markup=False, highlight=False)
    console.print("\nCtrl-C stops everything.")


def first_request(addresses: StackAddresses) -> str:
    """Return a curl command that works as it is."""
    return f"  curl {_headers(addresses)} '{addresses.web_url}/api/calendly/connect?return_to=/'"


def confirmation(addresses: StackAddresses) -> str:
    """Return a curl command that works with a handle in the place of the dots."""
    return (
        f"  curl {_headers(addresses)} -H 'Content-Type: application/json' "
        f"""-d '{{"handle": "…"}}' {addresses.web_url}/api/calendly/connect/confirm"""
    )


def _headers(addresses: StackAddresses) -> str:
    return f"-H 'Authorization: Bearer {addresses.api_key}' -H 'X-User-Id: {addresses.demo_user}'"


def _print_whole(console: Console, table: Table) -> None:
    """Print it as wide as its content: a terminal wraps a long line, but rich would cut it."""
    width = console.width
    unlimited = console.options.update(max_width=1_000)
    console.width = max(width, table.__rich_measure__(console, unlimited).maximum)
    console.print(table)
    console.width = width


def _table(addresses: StackAddresses) -> Table:
    table = Table(
        title="Slotkeeper is running", title_justify="left", show_header=False, box=HORIZONTALS
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    for label, value in (
        (LABELS["web"], addresses.web_url),
        ("API docs", addresses.api_docs_url),
        (LABELS["temporal_ui"], addresses.temporal_ui_url),
        (LABELS["sandbox"], addresses.sandbox_url),
        (LABELS["postgres"], addresses.database_url),
        (LABELS["temporal"], addresses.temporal_address),
        (LABELS["worker_metrics"], addresses.worker_metrics_url),
        ("API key", addresses.api_key),
    ):
        table.add_row(label, value)
    return table
