"""The service's own use case in its composition root, without Temporal around it.

Set beside the real worker it shows what Temporal costs. A line in: work until nothing is due;
a line of JSON out: seconds, and the tally of what was done.
"""

import asyncio
import os
import time

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from adapters.telemetry.logs import configure_logging
from application.jobs.job_result import JobResult
from bench.answering import answer_each_line


async def _main() -> None:
    settings = load_settings(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    async with open_services(settings) as services:

        async def refresh(_: object) -> dict[str, object]:
            started, total, more = time.perf_counter(), JobResult(), True
            while more:
                page = await services.refresh_due_tokens(settings.page_size, lambda _: None)
                total, more = total.plus(page), page.more
            return {"seconds": time.perf_counter() - started, "tally": total}

        await answer_each_line(object, refresh)


if __name__ == "__main__":
    asyncio.run(_main())
