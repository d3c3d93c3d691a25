"""A child process that answers a line of JSON with a line of JSON, until its input ends."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

_LONGEST_LINE = 64 * 1024 * 1024
_START_SECONDS = 30.0


class Answering:
    """One such process; `pid` to look at it from outside."""

    def __init__(
        self, pid: int, question: asyncio.StreamWriter, answer: asyncio.StreamReader
    ) -> None:
        self.pid = pid
        self._question = question
        self._answer = answer

    async def ask(self, question: object) -> Any:
        """Return its answer.

        Raises:
            RuntimeError: it ended instead; its own words are on standard error.

        """
        self._question.write(json.dumps(question).encode() + b"\n")
        await self._question.drain()
        return await self.answer()

    async def answer(self) -> Any:
        """Return the next line that it says."""
        line = await self._answer.readline()
        if not line:
            raise RuntimeError("a measured process ended early")
        return json.loads(line)


@asynccontextmanager
async def answering(argv: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[Answering]:
    """Start one, wait until it says that it is ready, and let it end at the end."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a measured process has no pipes")
    child = Answering(process.pid, process.stdin, process.stdout)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await child.answer()
        yield child
    finally:
        process.stdin.close()
        await process.wait()


async def answer_each_line(into: Any, work: Callable[[Any], Awaitable[object]]) -> None:
    """Be such a process: say that it is ready, then answer each line with what the work makes.

    Args:
        into: the type of a line, or a union of them.
        work: from what a line says to what is answered.

    """
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        answer = await work(msgspec.json.decode(line, type=into))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.flush()
