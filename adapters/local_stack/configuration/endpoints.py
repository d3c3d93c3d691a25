"""The ports a stack has taken, and the addresses that follow from them.

The sandbox plays Calendly's two hosts (auth and API) on one address.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

from adapters.local_stack.configuration.config import StackPorts
from adapters.local_stack.processes.ports import LOOPBACK, ClaimedPort, claim_port


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`replaced` maps a part's name to the port it could not have."""

    ports: StackPorts
    replaced: Mapping[str, int]

    @property
    def web_url(self) -> str:
        """As a browser and the sandbox's deliveries reach the service."""
        return f"http://localhost:{self.ports.web}"

    @property
    def sandbox_url(self) -> str:
        """As a browser and the service reach the local Calendly."""
        return f"http://localhost:{self.ports.sandbox}"

    @property
    def temporal_address(self) -> str:
        """As a Temporal client takes it."""
        return f"{LOOPBACK}:{self.ports.temporal}"

    @property
    def temporal_ui_url(self) -> str:
        """As a browser reaches it."""
        return f"http://localhost:{self.ports.temporal_ui}"

    @property
    def worker_metrics_url(self) -> str:
        """As Prometheus scrapes the worker; the web process has its own `/metrics`."""
        return f"http://localhost:{self.ports.worker_metrics}/metrics"


def claim_endpoints(wanted: StackPorts) -> Endpoints:
    """A port of its own for each part, the wanted one where that is free."""
    names = [field.name for field in fields(wanted)]
    claims: dict[str, ClaimedPort] = {}
    for name, number in zip(names, astuple(wanted), strict=True):
        claims[name] = _claim_other_than(number, {claim.number for claim in claims.values()})
    ports = StackPorts(**{name: claim.number for name, claim in claims.items()})
    replaced = {n: claim.wanted for n, claim in claims.items() if claim.wanted is not None}
    return Endpoints(ports, replaced)


def _claim_other_than(wanted: int, taken: set[int]) -> ClaimedPort:
    claim = claim_port(wanted)
    while claim.number in taken:
        claim = ClaimedPort(claim_port(0).number, claim.wanted or wanted or None)
    return claim
