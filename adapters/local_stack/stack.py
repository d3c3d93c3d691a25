"""The whole local stack: everything the service needs, and the service, up and watched.

Whatever happens between `start` and `stop`, no process is left: all of them belong to one
supervisor, which outlives this process if it must.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from adapters.local_stack.configuration.addresses import StackAddresses, write_addresses
from adapters.local_stack.configuration.config import StackConfig
from adapters.local_stack.configuration.endpoints import Endpoints, claim_endpoints
from adapters.local_stack.configuration.home import StackHome
from adapters.local_stack.processes.supervisor import Child, Supervisor
from adapters.local_stack.startup import Startup


class LocalStack:
    """One stack on one home. Its methods block: a coroutine uses `running_stack`.

    *on_progress* is told the name of each part once it is ready.
    """

    def __init__(
        self, config: StackConfig, on_progress: Callable[[str], None] = lambda _: None
    ) -> None:
        self._config = config
        self._on_progress = on_progress
        self._home = StackHome(config.home)
        self._supervisor: Supervisor | None = None
        self._endpoints: Endpoints | None = None
        self._running: list[Child] = []

    @property
    def replaced_ports(self) -> Mapping[str, int]:
        """The ports that were taken, by the part that wanted them; empty before `start`."""
        return self._endpoints.replaced if self._endpoints else {}

    def start(self) -> StackAddresses:
        """Start every part and write `stack.json`.

        Raises `LocalStackError`, after everything started so far has been stopped again.
        """
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def raise_if_a_child_ended(self) -> None:
        """Raises `ChildDiedError` or `SupervisorLostError`; call it every now and then."""
        for child in self._running:
            child.raise_if_ended()

    def stop(self) -> None:
        """Stop the service first, then the sandbox, Temporal, PostgreSQL. Safe to repeat."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.close()
        self._running = []
        self._home.close()

    def _start(self) -> StackAddresses:
        lock = self._home.open()
        self._supervisor = Supervisor(
            self._home.fresh_log("supervisor"), keep_open=lock, remove=self._home.stack_file
        )
        self._supervisor.start()
        self._endpoints = claim_endpoints(self._config.ports)
        startup = Startup(
            self._config, self._home, self._supervisor, self._endpoints, self._on_progress
        )
        addresses = startup.run()
        self._running = startup.running
        write_addresses(self._home.stack_file, addresses)
        return addresses


@asynccontextmanager
async def running_stack(config: StackConfig) -> AsyncIterator[StackAddresses]:
    """A stack for as long as the block runs. Raises `LocalStackError` if it does not start."""
    stack = LocalStack(config)
    try:
        yield await asyncio.to_thread(stack.start)
    finally:
        await asyncio.to_thread(stack.stop)
