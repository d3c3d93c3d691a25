"""The order in which the parts of a stack come up, each once what it needs is there.

What does not need another part starts beside it: a second start is a matter of seconds.
"""

from collections.abc import Callable

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.configuration.config import StackConfig
from adapters.local_stack.configuration.credentials import (
    load_credentials,
    save_credentials,
    with_api_key,
)
from adapters.local_stack.configuration.endpoints import Endpoints
from adapters.local_stack.configuration.home import StackHome
from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.processes.private_file import write_private
from adapters.local_stack.processes.supervisor import Child, Supervisor
from adapters.local_stack.processes.waiting import answers_ok, wait_until_done, wait_until_ready
from adapters.local_stack.services import DEMO_USER, Services, sandbox_spec, service_environment
from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer


class Startup:
    """One start, used once. `running` is every child that should stay."""

    def __init__(
        self,
        config: StackConfig,
        home: StackHome,
        supervisor: Supervisor,
        endpoints: Endpoints,
        on_progress: Callable[[str], None],
    ) -> None:
        self.running: list[Child] = []
        self._config = config
        self._home = home
        self._supervisor = supervisor
        self._endpoints = endpoints
        self._on_progress = on_progress
        self._credentials = load_credentials(home.credentials_file)
        self._postgres = EmbeddedPostgres(
            home.postgres,
            port=endpoints.ports.postgres,
            durable=config.durable,
            supervisor=supervisor,
            log=home.fresh_log("postgres"),
        )
        self._temporal = TemporalDevServer(
            home.folder,
            port=endpoints.ports.temporal,
            ui_port=endpoints.ports.temporal_ui,
            persistent=True,
            durable=config.durable,
            supervisor=supervisor,
            log=home.fresh_log("temporal"),
        )

    def run(self) -> StackAddresses:
        """Start everything; where it is. Raises `LocalStackError`, leaving what it started."""
        sandbox = self._launch_servers()
        services = Services(self._home, self._config.programs, self._environment())
        self._await_servers(services, sandbox)
        self._start_service(services)
        self._follow_web_url(services)
        return self._addresses()

    def _launch_servers(self) -> Child:
        self._temporal.launch()
        sandbox = self._supervisor.spawn(
            sandbox_spec(self._home, self._config.programs, self._endpoints, self._credentials)
        )
        self._postgres.launch()
        if self._postgres.created:
            # A key of an earlier database opens nothing here.
            self._remember_api_key(None)
        self.running += [self._postgres.child, self._temporal.child, sandbox]
        return sandbox

    def _environment(self) -> dict[str, str]:
        told = service_environment(self._endpoints, self._credentials, self._postgres.dsn)
        return {**told, **self._config.settings}

    def _await_servers(self, services: Services, sandbox: Child) -> None:
        self._postgres.await_ready()
        self._on_progress("PostgreSQL")
        migrate = self._supervisor.spawn(services.migrate())
        self._temporal.await_ready()
        self._on_progress("Temporal")
        schedules = self._supervisor.spawn(services.schedules())
        self._await_answer(sandbox, f"{self._endpoints.sandbox_url}/_control/health")
        self._on_progress("sandbox Calendly")
        self._await_end(migrate)
        self._on_progress("migrations")
        self._await_end(schedules)
        self._on_progress("schedules")

    def _start_service(self, services: Services) -> None:
        web = self._supervisor.spawn(services.web(self._endpoints.ports.web))
        worker = self._supervisor.spawn(services.worker(self._endpoints.ports.worker_metrics))
        self.running += [web, worker]
        if self._credentials.api_key is None:
            self._remember_api_key(self._new_api_key(services))
        self._await_answer(web, f"{self._endpoints.web_url}/health/ready")
        self._on_progress("web")
        self._await(worker, self._home.worker_ready_file.exists)
        self._on_progress("worker")

    def _follow_web_url(self, services: Services) -> None:
        """Where the web page has moved, deliveries still go to its old address: have that healed.

        The schedule would do so too, within half an hour.
        """
        file, url = self._home.web_url_file, self._endpoints.web_url
        if file.exists() and file.read_text() != url:
            self._await_end(self._supervisor.spawn(services.heal_webhooks()))
        file.write_text(url)

    def _new_api_key(self, services: Services) -> str:
        file = self._home.folder / "api-key"
        # Made before the child writes to it, so that it is private from the first byte on.
        write_private(file, "")
        try:
            self._await_end(self._supervisor.spawn(services.make_api_key(into=file)))
            return file.read_text().strip()
        finally:
            file.unlink()

    def _remember_api_key(self, api_key: str | None) -> None:
        self._credentials = with_api_key(self._credentials, api_key)
        save_credentials(self._home.credentials_file, self._credentials)

    def _await_answer(self, child: Child, url: str) -> None:
        self._await(child, lambda: answers_ok(url))

    def _await(self, child: Child, is_ready: Callable[[], bool]) -> None:
        def all_live_and_it_is_ready() -> bool:
            # Else a dead database would be reported as a web process that is not ready.
            for other in self.running:
                other.raise_if_ended()
            return is_ready()

        wait_until_ready(child, all_live_and_it_is_ready, self._config.step_timeout_seconds)

    def _await_end(self, child: Child) -> None:
        wait_until_done(child, self._config.step_timeout_seconds)

    def _addresses(self) -> StackAddresses:
        endpoints = self._endpoints
        return StackAddresses(
            web_url=endpoints.web_url,
            api_docs_url=f"{endpoints.web_url}/schema",
            sandbox_url=endpoints.sandbox_url,
            temporal_address=endpoints.temporal_address,
            temporal_namespace=NAMESPACE,
            temporal_ui_url=endpoints.temporal_ui_url,
            worker_metrics_url=endpoints.worker_metrics_url,
            database_url=self._postgres.dsn,
            api_key=self._credentials.api_key or "",
            cron_secret=self._credentials.cron_secret,
            demo_user=DEMO_USER,
            logs={child.spec.name: str(child.spec.log) for child in self.running},
            pids={child.spec.name: child.pid for child in self.running},
        )
