"""What a developer reads once the stack is up: where everything is, and a first request."""

from collections.abc import Mapping

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table

from adapters.local_stack.configuration.addresses import StackAddresses

_LABELS = {
    "web": "web page",
    "sandbox": "sandbox Calendly",
    "temporal": "Temporal",
    "temporal_ui": "Temporal UI",
    "postgres": "database",
    "worker_metrics": "worker metrics",
}


def announce(console: Console, addresses: StackAddresses, replaced: Mapping[str, int]) -> None:
    """Print the table; *replaced* are the taken ports by the part that wanted them."""
    _print_whole(console, _table(addresses))
    for part, port in replaced.items():
        console.print(f"Port {port} is taken: {_LABELS[part]} got another one.", style="yellow")
    console.print(
        "\nConnect a Calendly account; open the address that this answers in a browser:\n"
    )
    # Unstyled and unwrapped, to be copied.
    console.print(first_request(addresses), soft_wrap=True, markup=False, highlight=False)
    console.print("\nCtrl-C stops everything.")


def _print_whole(console: Console, table: Table) -> None:
    """As wide as its content: a terminal wraps what is too long for it, rich would cut it."""
    width = console.width
    unlimited = console.options.update(max_width=1_000)
    console.width = max(width, table.__rich_measure__(console, unlimited).maximum)
    console.print(table)
    console.width = width


def first_request(addresses: StackAddresses) -> str:
    """A curl command that works as it stands."""
    return (
        f"  curl -H 'Authorization: Bearer {addresses.api_key}' "
        f"-H 'X-User-Id: {addresses.demo_user}' "
        f"{addresses.web_url}/api/calendly/connect"
    )


def _table(addresses: StackAddresses) -> Table:
    table = Table(
        title="Slotkeeper is running", title_justify="left", show_header=False, box=HORIZONTALS
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    for label, value in _rows(addresses):
        table.add_row(label, value)
    return table


def _rows(addresses: StackAddresses) -> list[tuple[str, str]]:
    return [
        (_LABELS["web"], addresses.web_url),
        ("API docs", addresses.api_docs_url),
        (_LABELS["temporal_ui"], addresses.temporal_ui_url),
        (_LABELS["sandbox"], addresses.sandbox_url),
        (_LABELS["postgres"], addresses.database_url),
        (_LABELS["temporal"], addresses.temporal_address),
        (_LABELS["worker_metrics"], addresses.worker_metrics_url),
        ("API key", addresses.api_key),
    ]
