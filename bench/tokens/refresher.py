"""The service's own use case in its composition root, without Temporal around it.

Set beside the real worker it shows what Temporal costs. A line in: work until nothing is due;
a line of JSON out: seconds, and the tally of what was done.
"""

import asyncio
import json
import os
import sys
import time

import msgspec

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from adapters.telemetry.logs import configure_logging
from application.tally import Tally


async def _main() -> None:
    settings = load_settings(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    async with open_services(settings) as services:
        sys.stdout.write("{}\n")
        sys.stdout.flush()
        while await asyncio.to_thread(sys.stdin.readline):
            started, total, more = time.perf_counter(), Tally(), True
            while more:
                page = await services.refresh_due_tokens(settings.page_size, lambda _: None)
                total, more = total.plus(page), page.more
            seconds = time.perf_counter() - started
            tally = msgspec.to_builtins(total)
            sys.stdout.write(json.dumps({"seconds": seconds, "tally": tally}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())
