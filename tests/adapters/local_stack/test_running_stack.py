"""A stack while it runs: one stack for all of these tests."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.errors import AlreadyRunningError
from adapters.local_stack.processes.waiting import answers_ok
from adapters.local_stack.stack import LocalStack
from tests.adapters.local_stack.stacks import TestStack, own_folder


@dataclass(frozen=True)
class Running:
    """A started stack and where its parts are."""

    stack: TestStack
    addresses: StackAddresses

    @property
    def stack_file(self) -> Path:
        return self.stack.home / "stack.json"

    def read_addresses(self) -> StackAddresses:
        """Return the addresses as programs find them."""
        return msgspec.json.decode(self.stack_file.read_bytes(), type=StackAddresses)


@pytest.fixture(scope="module")
def running(cluster: Path) -> Iterator[Running]:
    """A stack that runs as long as this module's tests do."""
    with own_folder() as folder:
        stack = TestStack(folder / "home").with_cluster(cluster)
        started = LocalStack(stack.config)
        yield Running(stack, started.start())
        started.stop()


def test_parts_started_once_what_they_need_was_ready(running: Running) -> None:
    """Migrations and schedules are done, and the sandbox is up, before web and worker start."""
    journal = running.stack.journal()
    prepared = max(map(journal.index, ("sandbox started", "migrate ended", "schedules ended")))

    assert prepared < min(journal.index("web started"), journal.index("worker started"))
    assert answers_ok(f"{running.addresses.web_url}/health/ready")


def test_programs_find_the_addresses_in_a_file(running: Running) -> None:
    """While a stack runs `stack.json` holds its addresses."""
    plain = msgspec.json.decode(running.stack_file.read_bytes())

    assert running.read_addresses() == running.addresses
    assert plain["pids"].keys() == {"postgres", "temporal", "sandbox", "web", "worker"}


def test_secrets_are_in_private_files_only(running: Running) -> None:
    """Each file that holds a secret can be read by its owner only, and no log holds one."""
    addresses = running.addresses
    password = urlsplit(addresses.database_url).password or ""
    secrets = [text.encode() for text in (addresses.api_key, addresses.cron_secret, password)]
    files = [f for f in running.stack.home.rglob("*") if f.is_file() and "data" not in f.parts]
    revealing = [file for file in files if any(s in file.read_bytes() for s in secrets)]

    assert {"credentials.json", "stack.json", "password"} == {file.name for file in revealing}
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in revealing}


def test_a_second_stack_on_one_home_is_refused(running: Running) -> None:
    """A second stack on the same home is refused, and the first goes on undisturbed."""
    with pytest.raises(AlreadyRunningError, match="a stack is already running"):
        LocalStack(running.stack.config).start()

    assert running.read_addresses() == running.addresses
    assert answers_ok(f"{running.addresses.web_url}/health/ready")
