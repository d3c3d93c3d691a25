"""The health of the service: which parts work and which do not."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Check(msgspec.Struct, frozen=True):
    """One thing that this service needs."""

    name: str
    ok: bool
    required: Annotated[
        bool, Meta(description="Whether requests are served only while this is ok.")
    ] = True
    detail: Annotated[str | None, Meta(description="The remedy, when it is not ok.")] = None


class Circuit(msgspec.Struct, frozen=True):
    """The circuit breaker of a part of Calendly, which all processes share."""

    surface: Literal["oauth", "api", "mass_refusal"]
    state: Literal["closed", "open", "half_open"]
    failures: Annotated[int, Meta(description="Consecutive failures.")]
    retry_at: Annotated[
        datetime | None, Meta(description="When an open breaker lets a probe out (UTC).")
    ]
    opened_at: Annotated[
        datetime | None, Meta(description="When it opened (UTC); null while it is closed.")
    ]


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served."""

    ready: bool
    checks: tuple[Check, ...]
    circuits: Annotated[
        tuple[Circuit, ...],
        Meta(
            description="An open one makes nothing unready: reads are served from the cache."
            " Empty while the database cannot be asked."
        ),
    ]


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"] = "alive"
