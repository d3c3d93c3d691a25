"""Jobs that were started."""

from typing import Annotated

import msgspec
from msgspec import Meta


class StartedJob(msgspec.Struct, frozen=True):
    """A job that runs now."""

    workflow_id: Annotated[str, Meta(description="Its name in the Temporal UI.")]
    run_id: str
    already_running: Annotated[
        bool, Meta(description="Whether it ran before this request asked for it.")
    ]
