"""What works and what does not."""

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
    detail: Annotated[str | None, Meta(description="What to do about it, when it is not ok.")] = (
        None
    )


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served."""

    ready: bool
    checks: tuple[Check, ...]


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"] = "alive"
