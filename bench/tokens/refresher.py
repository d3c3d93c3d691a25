"""The service's own use case in a process of its own, without Temporal around it.

Compared with the real worker it shows the cost of Temporal.
"""

import os
import time

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from adapters.telemetry.logs import configure_logging
from application.jobs.job_result import JobResult


async def refresh_all() -> tuple[int, float]:
    """Refresh until nothing is due. Returns how many were refreshed, and in how many seconds."""
    settings = load_settings(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    async with open_services(settings) as services:
        started, total, more = time.perf_counter(), JobResult(), True
        while more:
            page = await services.refresh_due_tokens(settings.page_size, lambda _: None)
            total, more = total.plus(page), page.more
        return total.done.get("refreshed", 0), time.perf_counter() - started
