"""`python -m sandbox`: start one sandbox Calendly."""

import logging
import socket
from pathlib import Path

import click

from sandbox.app import create_app
from sandbox.server import bind, serve
from sandbox.settings import Settings
from sandbox.state_file import load, save
from sandbox.world import World

_DEFAULTS = Settings()


@click.command(context_settings={"auto_envvar_prefix": "SANDBOX", "show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--host-name",
    "host_names",
    multiple=True,
    help="A further name in the addresses of this sandbox, such as sandbox.test. Repeatable.",
)
@click.option("--port", default=8090, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--fd",
    "descriptors",
    type=click.IntRange(min=0),
    multiple=True,
    allow_from_autoenv=False,
    help="Serve an inherited listening socket instead of --host and --port. Repeatable.",
)
@click.option("--users", default=0, help="Paid single users to seed beside the named ones.")
@click.option("--seed", default=_DEFAULTS.seed, help="The same seed gives the same accounts.")
@click.option("--client-id", default=_DEFAULTS.client_id, help="The developer app's id.")
@click.option("--client-secret", default=_DEFAULTS.client_secret, help="Its secret.")
@click.option("--signing-key", default=_DEFAULTS.signing_key, help="Its webhook signing key.")
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    help="A registered redirect; local addresses are always allowed. Repeatable.",
)
@click.option(
    "--state-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep accounts, grants, hooks and bookings here from run to run.",
)
@click.option(
    "--resource-base", default=_DEFAULTS.resource_base, help="Base of the URIs in resources."
)
def main(
    *,
    host: str,
    host_names: tuple[str, ...],
    port: int,
    descriptors: tuple[int, ...],
    users: int,
    seed: int,
    client_id: str,
    client_secret: str,
    signing_key: str,
    redirect_uris: tuple[str, ...],
    resource_base: str,
    state_file: Path | None,
) -> None:
    """Run a local Calendly: OAuth, API, webhooks, and /_control."""
    settings = Settings(
        users=users,
        seed=seed,
        client_id=client_id,
        client_secret=client_secret,
        signing_key=signing_key,
        redirect_uris=redirect_uris,
        resource_base=resource_base.rstrip("/"),
        hosts=(host, *host_names),
    )
    logging.basicConfig(level=logging.WARNING)
    world = (load(settings, state_file) if state_file else None) or World(settings)

    def announce(address: str, bound_port: int) -> None:
        count = len(world.directory.users)
        click.echo(f"sandbox Calendly ready on http://{address}:{bound_port} with {count} users")

    try:
        listeners = [socket.socket(fileno=fd) for fd in descriptors] or [bind(host, port)]
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({error.strerror}); "
            "stop the program that listens there, or choose another port with --port"
        ) from None
    serve(create_app(world), listeners, announce)
    if state_file is not None:
        save(world, state_file)


if __name__ == "__main__":
    main(prog_name="python -m sandbox")
