"""The command line, `slotkeeper`: it starts every process and every task of an operator.

An expected error prints one message and no traceback. The exit status is 2 when the environment
or the command line is wrong, and 1 for any other error.
"""

from typing import Any

import click

from adapters.commands.lazy import LazyGroup, Spec
from adapters.settings import SettingsError
from domain.errors import SlotkeeperError

_SANDBOX = "slotkeeper-sandbox"
_COMMANDS = {
    "web": Spec("adapters.commands.web:web_command", "Serve the API, the webhooks and the page."),
    "migrate": Spec("adapters.commands.migrate:migrate_command", "Bring the database up to date."),
    "doctor": Spec(
        "adapters.commands.doctor:doctor_command", "Check everything and print what to fix."
    ),
    "keys": Spec(
        "adapters.commands.keys:keys_command",
        "Create, list and revoke API keys; rotate encryption keys.",
    ),
    "audit": Spec("adapters.commands.audit:audit_command", "List the audit trail."),
    "refresh": Spec(
        "adapters.commands.refresh:refresh_command", "Refresh one integration's tokens now."
    ),
    "invalidate": Spec(
        "adapters.commands.invalidate:invalidate_command",
        "Mark everything cached for one integration as stale.",
    ),
    "reconcile": Spec(
        "adapters.commands.reconcile:reconcile_command",
        "Compare bookings with Calendly's now, and repair them.",
    ),
    "webhooks": Spec(
        "adapters.commands.webhooks:webhooks_command",
        "List, show and replay stored webhooks.",
    ),
    "erase-invitee": Spec(
        "adapters.commands.erase_invitee:erase_invitee_command",
        "Erase one invitee, by e-mail, from everything stored.",
    ),
    "erase-user": Spec(
        "adapters.commands.erase_user:erase_user_command",
        "Erase one user of the team's with everything stored of them.",
    ),
    "erasures": Spec(
        "adapters.commands.erasures:erasures_command",
        "Keep the records of erasures, and apply them after a restore.",
    ),
    "dev": Spec(
        "adapters.local_stack.command:dev_command",
        "Run everything on this machine: PostgreSQL, Temporal and a local Calendly too.",
        distribution=_SANDBOX,
    ),
    "demo": Spec(
        "adapters.local_stack.demo.command:demo_command",
        "Start everything, run the walk-through, stop.",
        distribution=_SANDBOX,
    ),
    "sandbox": Spec(
        "adapters.local_stack.command:sandbox_command",
        "Run the local Calendly alone.",
        distribution=_SANDBOX,
    ),
}
_SUMMARIES = {
    "worker": "Run the jobs that Temporal starts.",
    "schedules": "Create and update the schedules that start the jobs.",
}


class _Slotkeeper(LazyGroup):
    """The group; prints expected errors as messages."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(2)
        except SlotkeeperError as error:
            click.echo(f"Error ({error.code}): {error}", err=True)
            ctx.exit(1)


@click.group(
    cls=_Slotkeeper,
    specs=_COMMANDS,
    summaries=_SUMMARIES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="slotkeeper", message="slotkeeper %(version)s")
def main() -> None:
    """Keep your users' Calendly accounts connected.

    Everything is configured by environment variables; `.env.example` lists them.
    """


if __name__ == "__main__":
    main(prog_name="slotkeeper")
