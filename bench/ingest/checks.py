"""The figures of the turns, and what is required of them."""

from collections.abc import Mapping, Sequence

from bench.comparison import Variant
from bench.ingest.pgbench import Inserted
from bench.ingest.server import Mode
from bench.report import Check, table

CPU_SHARE = 0.45
SLOWEST_MS = 1_000
_HEAD = [
    "mode",
    "CPU µs a request",
    "of it the server's",
    "requests a second",
    "p50 ms",
    "p99 ms",
    "slowest ms",
    "RSS MB",
    "of one a request",
]


def figures(
    variants: Mapping[str, Variant], memory: Mapping[str, int], inserted: Inserted | None
) -> str:
    """Return the figures of each server as a table in Markdown, pgbench's last."""
    single = variants[Mode.SINGLE].cpu
    rows = [_row(each, memory[name], single) for name, each in variants.items()]
    if inserted is not None:
        cells = (f"{inserted.cpu:.0f}", "0", f"{inserted.rate:.0f}", "", "", "", "")
        rows.append(("pgbench, the same insert alone", *cells, f"{inserted.cpu / single:.2f}"))
    return table(_HEAD, rows)


def _row(variant: Variant, memory: int, single: float) -> tuple[str, ...]:
    return (
        variant.name,
        f"{variant.cpu:.0f}",
        f"{variant.server_cpu:.0f}",
        f"{variant.rate:.0f}",
        f"{variant.percentile(50):.1f}",
        f"{variant.percentile(99):.1f}",
        f"{variant.slowest:.0f}",
        f"{memory / 1e6:.0f}",
        f"{variant.cpu / single:.2f}",
    )


def check_all(
    variants: Mapping[str, Variant], stored: tuple[int, int], sent: int
) -> Sequence[Check]:
    """Return all checks.

    Args:
        variants: the turns.
        stored: events applied, and bookings, at the end.
        sent: requests that were sent to the application in all, warm-up included.

    """
    grouped, single = variants[Mode.GROUPED], variants[Mode.SINGLE]
    return (*_check_speed(grouped, single), _check_stored(variants, stored, sent))


def _check_speed(grouped: Variant, single: Variant) -> tuple[Check, Check]:
    share = grouped.cpu / single.cpu
    fast, slow = grouped.percentile(99), single.percentile(99)
    return (
        Check(
            subject="CPU a request of server and PostgreSQL with group commit",
            requirement=f"at most {CPU_SHARE:.0%} of one transaction a request",
            measured=f"{grouped.cpu:.0f} µs against {single.cpu:.0f} µs: {share:.0%}",
            passed=share <= CPU_SHARE,
        ),
        Check(
            subject="responses with group commit",
            requirement="p99 below that of one transaction a request, none over 1 s",
            measured=f"p99 {fast:.0f} ms against {slow:.0f} ms, slowest {grouped.slowest:.0f} ms",
            passed=fast < slow and grouped.slowest <= SLOWEST_MS,
        ),
    )


def _check_stored(variants: Mapping[str, Variant], stored: tuple[int, int], sent: int) -> Check:
    applied, bookings = stored
    statuses = set[int]().union(*(each.statuses for each in variants.values()))
    return Check(
        subject=f"{sent:,} unique deliveries",
        requirement="each answered 204, stored once and applied to a booking of its own",
        measured=f"statuses {sorted(statuses)}, {applied:,} applied, {bookings:,} bookings",
        passed=statuses == {204} and applied == bookings == sent,
    )
