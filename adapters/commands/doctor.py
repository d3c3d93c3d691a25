"""`slotkeeper doctor`: checks everything the service needs and says what to do about each."""

import asyncio
import os

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.doctor.examination import examine, is_healthy
from adapters.doctor.finding import Finding, Health
from adapters.doctor.probes import REAL_PROBES

_STYLES = {Health.FINE: "green", Health.WRONG: "bold red", Health.UNCHECKED: "yellow"}


@click.command("doctor")
def doctor_command() -> None:
    """Check settings, database, migrations, Temporal and Calendly; exit with 1 on any fault."""
    findings = asyncio.run(examine(os.environ, REAL_PROBES))
    Console().print(report(findings))
    if not is_healthy(findings):
        raise click.exceptions.Exit(1)


def report(findings: list[Finding]) -> Table:
    """Return the findings as a table for a terminal."""
    table = Table("Check", "", "Found", box=None, padding=(0, 2, 0, 0))
    table.columns[2].overflow = "fold"  # a long name or address is never cut off
    for finding in findings:
        # Texts, so that nothing in brackets is read as markup.
        health = Text(finding.health, style=_STYLES[finding.health])
        found = Text(finding.detail)
        if finding.remedy:
            found.append(f"\n→ {finding.remedy}", style="bold")
        table.add_row(finding.subject, health, found)
    return table
