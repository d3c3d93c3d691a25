"""What a developer may choose about a stack: where it lives, its ports, what it runs."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StackPorts:
    """A taken port is replaced by a free one; 0 asks for a free one at once."""

    web: int = 8000
    sandbox: int = 8090
    temporal: int = 7233
    temporal_ui: int = 8233
    postgres: int = 54329
    worker_metrics: int = 9464


FREE_PORTS = StackPorts(web=0, sandbox=0, temporal=0, temporal_ui=0, postgres=0, worker_metrics=0)


@dataclass(frozen=True, slots=True)
class Programs:
    """How the service's own command line and the sandbox are run."""

    slotkeeper: Sequence[str] = (sys.executable, "-m", "adapters.cli")
    sandbox: Sequence[str] = (sys.executable, "-m", "sandbox")


@dataclass(frozen=True, slots=True)
class StackConfig:
    """Times are in seconds. Without *durable* a power cut may lose data: for tests.

    *settings* are variables of the service that this stack sets differently.
    """

    home: Path = Path(".slotkeeper")
    ports: StackPorts = field(default_factory=StackPorts)
    programs: Programs = field(default_factory=Programs)
    durable: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    step_timeout_seconds: float = 60.0
