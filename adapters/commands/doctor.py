"""`slotkeeper doctor`: checks everything the service needs and prints what to fix."""

import asyncio
import os
from collections.abc import Iterator

import click
from rich.console import Console
from rich.text import Text

from adapters.doctor.examination import examine, is_healthy
from adapters.doctor.finding import Finding, Health
from adapters.doctor.probes import REAL_PROBES

_STYLES = {
    Health.FINE: "green",
    Health.ADVICE: "yellow",
    Health.WRONG: "bold red",
    Health.UNCHECKED: "yellow",
}


@click.command("doctor")
def doctor_command() -> None:
    """Check settings, database, migrations, Temporal and Calendly; exit with 1 on any fault."""
    findings = asyncio.run(examine(os.environ, REAL_PROBES))
    console = Console(highlight=False)
    for line in report(findings):
        # Only the terminal wraps lines, so an address can be copied whole.
        console.print(line, soft_wrap=True)
    if not is_healthy(findings):
        raise click.exceptions.Exit(1)


def report(findings: list[Finding]) -> Iterator[Text]:
    """Yield the lines of the report: a finding, and its remedy indented below it."""
    subjects = max(len(finding.subject) for finding in findings)
    states = max(len(finding.health) for finding in findings)
    yield Text(f"{'Check':{subjects}}  {'':{states}}  Found", style="bold")
    for finding in findings:
        # `Text`, because rich reads brackets in a plain string as markup.
        line = Text(f"{finding.subject:{subjects}}  ")
        line.append(f"{finding.health:{states}}", style=_STYLES[finding.health])
        yield line.append(f"  {finding.detail}")
        if finding.remedy:
            yield Text(f"  → {finding.remedy}", style="bold")
