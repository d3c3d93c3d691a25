"""The whole local stack: everything the service needs, and the service, started and watched.

Each part starts as soon as the parts that it needs are ready. All processes belong to one
supervisor, which stops them also when this process is killed.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from adapters.local_stack.configuration.addresses import StackAddresses, write_addresses
from adapters.local_stack.configuration.config import StackConfig
from adapters.local_stack.configuration.credentials import load_credentials, save_credentials
from adapters.local_stack.configuration.home import StackHome
from adapters.local_stack.errors import PortUnavailableError
from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.processes.ports import Port
from adapters.local_stack.processes.private_file import write_private
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import answers_ok, wait_until_done, wait_until_ready
from adapters.local_stack.services import DEMO_USER, Services, sandbox_spec, service_environment
from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer

# Programs of ours inherit the sockets of these parts, so nothing else can listen there.
_INHERITED = ("web", "sandbox", "worker_metrics")


class LocalStack:
    """One stack on one home. *on_progress* is called with each part once it is ready."""

    def __init__(
        self, config: StackConfig, on_progress: Callable[[str], None] = lambda _: None
    ) -> None:
        self._config = config
        self._on_progress = on_progress
        self._home = StackHome(config.home)
        self._ports = {
            part: Port(
                part,
                number,
                required=part in config.required_ports,
                localhost=part in {"web", "sandbox"},
            )
            for part, number in asdict(config.ports).items()
        }
        self._supervisor: Supervisor | None = None
        self._running: list[Child] = []

    @property
    def replaced_ports(self) -> Mapping[str, int]:
        """The ports that were in use, by the part that has another one now."""
        return {
            part: port.wanted
            for part, port in self._ports.items()
            if port.wanted not in {0, port.number}
        }

    def start(self) -> StackAddresses:
        """Start every part and write `stack.json`.

        Raises `LocalStackError`, after everything started so far has been stopped again.
        """
        try:
            return self._start()
        except BaseException as error:
            if isinstance(error, PortUnavailableError):
                self._home.discard_if_new()
            self.stop()
            raise

    def raise_if_a_child_ended(self) -> None:
        """Raises `ChildDiedError` or `SupervisorLostError`; to be called regularly."""
        for child in self._running:
            child.raise_if_ended()

    def stop(self) -> None:
        """Stop the service first, then the sandbox, Temporal, PostgreSQL. Safe to repeat."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.close()
        for port in self._ports.values():
            port.release()
        self._running = []
        self._home.close()

    def _start(self) -> StackAddresses:
        lock = self._home.open()
        for port in self._ports.values():
            port.hold()
        inherited = [fd for part in _INHERITED for fd in self._ports[part].descriptors]
        log = self._home.fresh_log("supervisor")
        self._supervisor = Supervisor(log, [lock, *inherited], remove=self._home.stack_file)
        self._supervisor.start()
        startup = _Startup(
            self._config, self._home, self._supervisor, self._ports, self._on_progress
        )
        addresses = startup.run()
        self._running = startup.running
        write_addresses(self._home.stack_file, addresses)
        return addresses


class _Startup:
    """One start, used once. `running` is every child that should stay."""

    def __init__(
        self,
        config: StackConfig,
        home: StackHome,
        supervisor: Supervisor,
        ports: Mapping[str, Port],
        on_progress: Callable[[str], None],
    ) -> None:
        self.running: list[Child] = []
        self._config = config
        self._home = home
        self._supervisor = supervisor
        self._ports = ports
        self._on_progress = on_progress
        self._credentials = load_credentials(home.credentials_file)
        self._postgres = EmbeddedPostgres(
            home.postgres,
            port=ports["postgres"],
            durable=config.durable,
            supervisor=supervisor,
            log=home.fresh_log("postgres"),
        )
        self._temporal = TemporalDevServer(
            home.folder,
            port=ports["temporal"],
            ui_port=ports["temporal_ui"],
            persistent=True,
            durable=config.durable,
            supervisor=supervisor,
            log=home.fresh_log("temporal"),
        )

    def run(self) -> StackAddresses:
        """Start everything. Raises `LocalStackError`, and does not stop what it started."""
        self._start_servers()
        self._start_service()
        self._follow_web_url()
        return self._addresses()

    def _start_servers(self) -> None:
        self._temporal.launch()
        port = self._ports["sandbox"]
        spec = sandbox_spec(self._home, self._config.programs, port, self._credentials)
        sandbox = self._spawn(spec, inherits=port)
        self._postgres.launch()
        if self._postgres.created:
            # A key of an earlier database is unknown to this one.
            self._remember_api_key(None)
        self._postgres.await_ready()
        self._on_progress("PostgreSQL")
        migrate = self._spawn(self._services.migrate())
        self._temporal.await_ready()
        self._on_progress("Temporal")
        self.running += [self._postgres.child, self._temporal.child, sandbox]
        schedules = self._spawn(self._services.schedules())
        self._await_answer(sandbox, f"{port.url}/_control/health")
        self._on_progress("sandbox Calendly")
        self._await_end(migrate)
        self._on_progress("migrations")
        self._await_end(schedules)
        self._on_progress("schedules")

    def _start_service(self) -> None:
        port, metrics = self._ports["web"], self._ports["worker_metrics"]
        web = self._spawn(self._services.web(port), inherits=port)
        worker = self._spawn(self._services.worker(metrics), inherits=metrics)
        self.running += [web, worker]
        if self._credentials.api_key is None:
            self._remember_api_key(self._new_api_key())
        self._await_answer(web, f"{port.url}/health/ready")
        self._on_progress("web")
        self._await(worker, self._home.worker_ready_file.exists)
        self._on_progress("worker")

    def _follow_web_url(self) -> None:
        """Have the webhook subscriptions replaced when the web page has moved.

        Calendly still delivers to the old address. The schedule would do it within half an hour.
        """
        file, url = self._home.web_url_file, self._ports["web"].url
        if file.exists() and file.read_text() != url:
            self._await_end(self._spawn(self._services.heal_webhooks()))
        file.write_text(url)

    @property
    def _services(self) -> Services:
        """With the addresses as they are now: a server that lost its port has another one."""
        environment = service_environment(
            self._ports, self._credentials, self._postgres.dsn, self._temporal.address
        )
        environment |= self._config.settings
        return Services(self._home, self._config.programs, environment)

    def _spawn(self, spec: ChildSpec, inherits: Port | None = None) -> Child:
        child = self._supervisor.spawn(spec)
        if inherits is not None:
            # The child alone has it now: connections are refused when the child ends.
            inherits.release()
        return child

    def _new_api_key(self) -> str:
        file = self._home.folder / "api-key"
        # Made before the child writes to it, so that it is private from the first byte on.
        write_private(file, "")
        try:
            self._await_end(self._spawn(self._services.make_api_key(into=file)))
            return file.read_text().strip()
        finally:
            file.unlink()

    def _remember_api_key(self, api_key: str | None) -> None:
        self._credentials = replace(self._credentials, api_key=api_key)
        save_credentials(self._home.credentials_file, self._credentials)

    def _await_answer(self, child: Child, url: str) -> None:
        self._await(child, lambda: answers_ok(url))

    def _await(self, child: Child, is_ready: Callable[[], bool]) -> None:
        def all_run_and_it_is_ready() -> bool:
            # Else a dead database would be reported as a web process that is not ready.
            for other in self.running:
                other.raise_if_ended()
            return is_ready()

        wait_until_ready(child, all_run_and_it_is_ready, self._config.step_timeout_seconds)

    def _await_end(self, child: Child) -> None:
        wait_until_done(child, self._config.step_timeout_seconds)

    def _addresses(self) -> StackAddresses:
        ports = self._ports
        return StackAddresses(
            web_url=ports["web"].url,
            api_docs_url=f"{ports['web'].url}/schema",
            sandbox_url=ports["sandbox"].url,
            temporal_address=self._temporal.address,
            temporal_namespace=NAMESPACE,
            temporal_ui_url=ports["temporal_ui"].url,
            worker_metrics_url=f"{ports['worker_metrics'].url}/metrics",
            database_url=self._postgres.dsn,
            api_key=self._credentials.api_key or "",
            cron_secret=self._credentials.cron_secret,
            demo_user=DEMO_USER,
            logs={child.spec.name: str(child.spec.log) for child in self.running},
            pids={child.spec.name: child.pid for child in self.running},
        )
