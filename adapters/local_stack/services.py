"""The programs of our own that a stack runs: the service's commands and the sandbox Calendly.

They read everything from their environment, as in production: no secret is on a command line,
which every user of the machine could read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import adapters
from adapters.local_stack.configuration.config import Programs
from adapters.local_stack.configuration.credentials import Credentials
from adapters.local_stack.configuration.home import StackHome
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import Port
from adapters.local_stack.processes.supervisor import ChildSpec
from adapters.local_stack.temporal_server import NAMESPACE
from adapters.temporal.contract import HEAL_WEBHOOKS_ID

DEMO_USER = "demo"

_SANDBOX_STAGE = 2
_SERVICE_STAGE = 3
# `-m` finds our packages there, whatever folder the stack was started in.
_CODE_FOLDER = Path(adapters.__path__[0]).parent


def service_environment(
    ports: Mapping[str, Port], credentials: Credentials, database_url: str, temporal_address: str
) -> dict[str, str]:
    """The variables that `slotkeeper web`, `worker` and the other commands read."""
    sandbox_url = ports["sandbox"].url
    return {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_UI_URL": ports["temporal_ui"].url,
        "CALENDLY_CLIENT_ID": credentials.calendly_client_id,
        "CALENDLY_CLIENT_SECRET": credentials.calendly_client_secret,
        "CALENDLY_WEBHOOK_SIGNING_KEY": credentials.calendly_signing_key,
        "CALENDLY_AUTH_URL": sandbox_url,
        "CALENDLY_API_URL": sandbox_url,
        "SANDBOX_URL": sandbox_url,
        "CRON_SECRET": credentials.cron_secret,
        "TOKEN_ENCRYPTION_KEYS": credentials.token_encryption_keys,
        "PUBLIC_URL": ports["web"].url,
        "DEMO_USER": DEMO_USER,
    }


def sandbox_spec(
    home: StackHome, programs: Programs, port: Port, credentials: Credentials
) -> ChildSpec:
    """The local Calendly: it plays both hosts (auth and API) and keeps its state in the home."""
    environment = {
        "SANDBOX_CLIENT_ID": credentials.calendly_client_id,
        "SANDBOX_CLIENT_SECRET": credentials.calendly_client_secret,
        "SANDBOX_SIGNING_KEY": credentials.calendly_signing_key,
        "SANDBOX_STATE_FILE": str(home.sandbox_state_file),
    }
    return ChildSpec(
        name="sandbox",
        argv=[*programs.sandbox, *_inheriting("--fd", port)],
        env=plain_environment() | environment,
        log=home.fresh_log("sandbox"),
        stage=_SANDBOX_STAGE,
        cwd=_CODE_FOLDER,
        pass_fds=port.descriptors,
    )


def _inheriting(option: str, port: Port) -> list[str]:
    return [f"{option}={descriptor}" for descriptor in port.descriptors]


@dataclass(frozen=True, slots=True)
class Services:
    """Makes the specs of the service's own commands, which get *environment*."""

    home: StackHome
    programs: Programs
    environment: Mapping[str, str] = field(repr=False)

    def migrate(self) -> ChildSpec:
        return self._command("migrate", "migrate")

    def schedules(self) -> ChildSpec:
        return self._command("schedules", "schedules", "apply")

    def heal_webhooks(self) -> ChildSpec:
        return self._command("heal", "schedules", "trigger", HEAL_WEBHOOKS_ID)

    def make_api_key(self, into: Path) -> ChildSpec:
        """Ends when the file *into* holds a new API key."""
        arguments = ("keys", "create", "--name", "dev", "--quiet")
        return replace(self._command("keys", *arguments), stdout=into)

    def web(self, port: Port) -> ChildSpec:
        spec = self._command("web", "web", *_inheriting("--fd", port))
        return replace(spec, pass_fds=port.descriptors)

    def worker(self, metrics: Port) -> ChildSpec:
        """It makes `worker.ready` in the home once it polls."""
        ready_file = self.home.worker_ready_file
        ready_file.unlink(missing_ok=True)
        options = (f"--ready-file={ready_file}", *_inheriting("--metrics-fd", metrics))
        return replace(self._command("worker", "worker", *options), pass_fds=metrics.descriptors)

    def _command(self, name: str, *arguments: str) -> ChildSpec:
        return ChildSpec(
            name=name,
            argv=[*self.programs.slotkeeper, *arguments],
            env=plain_environment() | dict(self.environment),
            log=self.home.fresh_log(name),
            stage=_SERVICE_STAGE,
            # Longer than a worker waits for its activities, so that it is not killed before.
            grace_seconds=20.0,
            cwd=_CODE_FOLDER,
        )
