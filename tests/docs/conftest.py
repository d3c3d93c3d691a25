from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.configuration.config import FREE_PORTS, StackConfig
from adapters.local_stack.configuration.credentials import load_credentials
from adapters.local_stack.stack import LocalStack
from tests.docs.pages import EXECUTED
from tests.docs.reader import Reader, Tried


class Read(NamedTuple):
    """The executed pages, carried out once on a stack of their own, which still runs."""

    addresses: StackAddresses
    parts: list[str]
    tried: list[Tried]


@pytest.fixture(scope="session")
def read(traversable: Path) -> Iterator[Read]:
    """Return the results of the commands of all executed pages, in the pages' order."""
    home = traversable / "pages"
    parts: list[str] = []
    config = StackConfig(home=home, ports=FREE_PORTS, durable=False)
    stack = LocalStack(config, on_progress=parts.append)
    addresses = stack.start()
    reader = Reader(addresses, load_credentials(home / "credentials.json"))
    try:
        yield Read(
            addresses,
            parts,
            [tried for page in EXECUTED for tried in reader.carry_out(page.blocks)],
        )
    finally:
        reader.close()
        stack.stop()
