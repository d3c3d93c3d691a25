"""The choices for a stack: its folder, its ports, the programs that it runs."""

import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StackPorts:
    """0 takes a free port; a port in use is replaced unless `StackConfig` requires it."""

    web: int = 8000
    sandbox: int = 8090
    temporal: int = 7233
    temporal_ui: int = 8233
    postgres: int = 54329
    worker_metrics: int = 9464


FREE_PORTS = StackPorts(web=0, sandbox=0, temporal=0, temporal_ui=0, postgres=0, worker_metrics=0)


@dataclass(frozen=True, slots=True)
class Programs:
    """The commands that run the service's command line and the sandbox."""

    slotkeeper: Sequence[str] = (sys.executable, "-m", "adapters.cli")
    sandbox: Sequence[str] = (sys.executable, "-m", "sandbox")


@dataclass(frozen=True, slots=True)
class StackConfig:
    """The choices for one stack.

    Args:
        home: the folder that holds everything of it.
        required_ports: fields of `StackPorts` whose port must not be replaced by another.
        durable: False may lose data in a power cut: for tests.
        settings: variables of the service that this stack sets differently.
        step_timeout_seconds: for each part to become ready.

    """

    home: Path = Path(".slotkeeper")
    ports: StackPorts = field(default_factory=StackPorts)
    required_ports: AbstractSet[str] = frozenset()
    programs: Programs = field(default_factory=Programs)
    durable: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    step_timeout_seconds: float = 60.0
