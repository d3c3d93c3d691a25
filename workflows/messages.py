"""The inputs and results of workflows and activities: one struct each way.

Ids, counts, codes and times only: operators read these in the Temporal UI, nothing hides them.
Add a field with a default, and never rename one: running workflows hold older values.
"""

from datetime import datetime
from typing import Final

import msgspec

from application.jobs.job_result import JobResult
from domain.ids import IntegrationId

PAGES_PER_RUN: Final = 300
"""A page takes six events, so this many make about 1,800: Temporal warns at 10,240."""

LONGEST_HISTORY: Final = 1_800
"""A run with this many events continues as new; waits between pages take five events each."""


class PagingState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The input of a page job: how far its earlier runs came.

    Args:
        so_far: the result of the earlier runs of the same job; its cursor is where to continue.
        pages_done: how many pages that took.
        pages_per_run: after how many pages to continue as a new run.
        waits_until: no wait of this job goes beyond this (UTC); None before the first page.

    """

    so_far: JobResult = JobResult()
    pages_done: int = 0
    pages_per_run: int = PAGES_PER_RUN
    waits_until: datetime | None = None


class PageInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """The input of an activity that works a page; `cursor` is where it begins."""

    cursor: str | None = None


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one step ended: `result` is `created`, `synced`, …, or empty when it failed.

    `count` is how many rows it changed, for a step that counts them.
    """

    result: str = ""
    count: int = 0
    error_code: str | None = None


class Onboarded(msgspec.Struct, frozen=True):
    """How each step of an onboarding ended."""

    subscription: Step
    bookings: Step
    availability: Step


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which integration to erase; `forced`: even though Calendly was not reached."""

    integration_id: IntegrationId
    forced: bool = False


class Erased(msgspec.Struct, frozen=True):
    """How a disconnection ended: `erased`, `erased_unrevoked` or `absent`."""

    result: str
