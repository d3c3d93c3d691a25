"""What the stack runs of our own: the service's commands, and the sandbox Calendly.

They are told everything by their environment, as in production: no secret is on a command
line, which anybody on the machine could read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import adapters
from adapters.local_stack.configuration.config import Programs
from adapters.local_stack.configuration.credentials import Credentials
from adapters.local_stack.configuration.endpoints import Endpoints
from adapters.local_stack.configuration.home import StackHome
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK
from adapters.local_stack.processes.supervisor import ChildSpec
from adapters.local_stack.temporal_server import NAMESPACE
from adapters.temporal.contract import HEAL_WEBHOOKS_ID

DEMO_USER = "demo"

_SANDBOX_STAGE = 2
_SERVICE_STAGE = 3
# Where `-m` finds our packages, whatever folder the stack was started in.
_CODE_FOLDER = Path(adapters.__path__[0]).parent


def service_environment(
    endpoints: Endpoints, credentials: Credentials, database_url: str
) -> dict[str, str]:
    """The variables that `slotkeeper web`, `worker` and the rest read."""
    return {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": endpoints.temporal_address,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_UI_URL": endpoints.temporal_ui_url,
        "CALENDLY_CLIENT_ID": credentials.calendly_client_id,
        "CALENDLY_CLIENT_SECRET": credentials.calendly_client_secret,
        "CALENDLY_WEBHOOK_SIGNING_KEY": credentials.calendly_signing_key,
        "CALENDLY_AUTH_URL": endpoints.sandbox_url,
        "CALENDLY_API_URL": endpoints.sandbox_url,
        "SANDBOX_URL": endpoints.sandbox_url,
        "CRON_SECRET": credentials.cron_secret,
        "TOKEN_ENCRYPTION_KEYS": credentials.token_encryption_keys,
        "PUBLIC_URL": endpoints.web_url,
        "DEMO_USER": DEMO_USER,
    }


def sandbox_spec(
    home: StackHome, programs: Programs, endpoints: Endpoints, credentials: Credentials
) -> ChildSpec:
    """The local Calendly, which knows this one application and keeps its state in the home."""
    told = {
        "SANDBOX_CLIENT_ID": credentials.calendly_client_id,
        "SANDBOX_CLIENT_SECRET": credentials.calendly_client_secret,
        "SANDBOX_SIGNING_KEY": credentials.calendly_signing_key,
        "SANDBOX_STATE_FILE": str(home.sandbox_state_file),
    }
    return ChildSpec(
        name="sandbox",
        argv=[*programs.sandbox, "--host", LOOPBACK, "--port", str(endpoints.ports.sandbox)],
        env=plain_environment() | told,
        log=home.fresh_log("sandbox"),
        stage=_SANDBOX_STAGE,
        cwd=_CODE_FOLDER,
    )


@dataclass(frozen=True, slots=True)
class Services:
    """Makes the specs of the service's own commands; *environment* is what they are told."""

    home: StackHome
    programs: Programs
    environment: Mapping[str, str] = field(repr=False)

    def migrate(self) -> ChildSpec:
        """Ends when the database's schema is current."""
        return self._command("migrate", "migrate")

    def schedules(self) -> ChildSpec:
        """Ends when Temporal has our schedules."""
        return self._command("schedules", "schedules", "apply")

    def make_api_key(self, into: Path) -> ChildSpec:
        """Ends when the file *into* holds a new API key."""
        return self._command("keys", "keys", "create", "--name", "dev", "--quiet", stdout=into)

    def web(self, port: int) -> ChildSpec:
        """The web process on *port*."""
        return self._command("web", "web", "--host", LOOPBACK, "--port", str(port))

    def worker(self, metrics_port: int) -> ChildSpec:
        """A worker; it makes `worker.ready` in the home once it polls."""
        ready_file = self.home.worker_ready_file
        ready_file.unlink(missing_ok=True)
        options = ("--ready-file", str(ready_file), "--metrics-port", str(metrics_port))
        return self._command("worker", "worker", *options)

    def heal_webhooks(self) -> ChildSpec:
        """Ends when the healing of webhook subscriptions was asked for."""
        return self._command("heal", "schedules", "trigger", HEAL_WEBHOOKS_ID)

    def _command(self, name: str, *arguments: str, stdout: Path | None = None) -> ChildSpec:
        return ChildSpec(
            name=name,
            argv=[*self.programs.slotkeeper, *arguments],
            env=plain_environment() | dict(self.environment),
            log=self.home.fresh_log(name),
            stdout=stdout,
            stage=_SERVICE_STAGE,
            # Longer than a worker waits for its activities, so that it is never cut off.
            grace_seconds=20.0,
            cwd=_CODE_FOLDER,
        )
