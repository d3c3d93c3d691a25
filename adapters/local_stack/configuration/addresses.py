"""The addresses of a running stack, which programs read from a file.

The file holds the API key and the database's password. It is private to its owner, and exists
only while the stack runs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from adapters.local_stack.processes.private_file import write_private


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """For the clients of each part. `logs` and `pids` are by the child's name."""

    web_url: str
    api_docs_url: str
    sandbox_url: str
    temporal_address: str
    temporal_namespace: str
    temporal_ui_url: str
    worker_metrics_url: str
    database_url: str = field(repr=False)
    api_key: str = field(repr=False)
    cron_secret: str = field(repr=False)
    demo_user: str
    logs: Mapping[str, str]
    pids: Mapping[str, int]
    pid: int = field(default_factory=os.getpid)


def write_addresses(file: Path, addresses: StackAddresses) -> None:
    """Replace *file* (`stack.json`) in one step."""
    write_private(file, msgspec.json.format(msgspec.json.encode(addresses)).decode())
