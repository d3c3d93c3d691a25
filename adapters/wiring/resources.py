"""What the use cases are built from: opened resources and the ports that need no opening."""

from dataclasses import dataclass

import httpx

from adapters.persistence.storage import PiccoloStorage
from adapters.settings import Settings
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.temporal.jobs import TemporalJobs
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.vault import Vault


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Made in `bootstrap`, used in `wiring`; `owner` names this process in leases."""

    settings: Settings
    storage: PiccoloStorage
    vault: Vault
    http: httpx.AsyncClient
    jobs: TemporalJobs
    background: Background
    telemetry: PrometheusTelemetry
    clock: Clock
    randomness: Randomness
    owner: str
