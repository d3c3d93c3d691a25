"""The resources that use cases are built from: opened ones, and ports that need no opening."""

from dataclasses import dataclass

import httpx

from adapters.persistence.storage import PiccoloStorage
from adapters.settings import Settings
from adapters.system.clock_sync import ClockSkew
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.temporal.jobs import TemporalJobs
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.vault import Vault
from application.security.audit_trail import AuditTrail

# Calendly stores both addresses: they must not change while accounts are connected.
CALLBACK_PATH = "/api/calendly/callback"
WEBHOOK_PATH = "/api/calendly/webhooks"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """`bootstrap` opens them, `wiring` uses them; `owner` names this process in leases.

    `storage` is for jobs and commands. Webhooks, probes and reads of the API have connections of
    their own; see `adapters.persistence.bulkheads`.
    """

    settings: Settings
    storage: PiccoloStorage
    webhook_storage: PiccoloStorage
    probe_storage: PiccoloStorage
    read_storage: PiccoloStorage
    vault: Vault
    http: httpx.AsyncClient
    jobs: TemporalJobs
    background: Background
    telemetry: PrometheusTelemetry
    clock: Clock
    clock_skew: ClockSkew
    randomness: Randomness
    owner: str

    @property
    def audit(self) -> AuditTrail:
        """The audit trail, with the connections of commands."""
        return AuditTrail(storage=self.storage, clock=self.clock, randomness=self.randomness)

    def public(self, path: str) -> str:
        """Return the public URL of a path of this service."""
        return self.settings.public_url.rstrip("/") + path
