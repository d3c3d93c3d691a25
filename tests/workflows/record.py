"""Record the history of one run of each workflow: `python -m tests.workflows.record [name …]`.

Record a workflow again only together with a patch (`workflow.patched`) that keeps the old history
replaying. Copy the old file to `<name>@<version>.json` first, so that both are replayed.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.workflows.running import Bench
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.servers import time_skipping_server

HISTORIES = Path(__file__).parent / "histories"

# The place of the recording does not matter and changes with every recording.
_DROPPED = frozenset({"stackTrace", "identity", "binaryChecksum", "workerVersion"})


def scrubbed(value: Any) -> Any:
    """Return a decoded history without what tells of the recording machine."""
    if isinstance(value, dict):
        return {key: scrubbed(part) for key, part in value.items() if key not in _DROPPED}
    if isinstance(value, list):
        return [scrubbed(part) for part in value]
    return value


async def record(names: Sequence[str]) -> None:
    """Write the named scenarios' histories."""
    async with time_skipping_server() as environment:
        for name in names:
            bench = Bench(environment.client)
            handle = await SCENARIOS[name](bench)
            async with bench.working():
                await handle.result()
                first = environment.client.get_workflow_handle(
                    handle.id, run_id=handle.result_run_id
                )
                history = json.loads((await first.fetch_history()).to_json())
            text = json.dumps(scrubbed(history), indent=1, sort_keys=True)
            (HISTORIES / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:] or list(SCENARIOS)))
