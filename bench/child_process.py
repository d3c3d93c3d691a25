"""Calls one function in a process of its own, so that its CPU is counted apart from the caller's.

A call and its result each pass as one line of JSON, typed by the function's annotations. The
process ends as soon as its input ends, so it never outlives its parent.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from inspect import signature
from typing import Any, Generic, ParamSpec, TypeVar, get_type_hints

import msgspec
import uvloop

from adapters.local_stack.processes.environment import plain_environment

P = ParamSpec("P")
T = TypeVar("T")
_LONGEST_LINE = 64 * 1024 * 1024
_START_SECONDS = 120.0


class ChildProcess(Generic[P, T]):
    """A running process; `pid` identifies it for measuring from outside."""

    def __init__(
        self, function: Callable[P, Awaitable[T]], process: asyncio.subprocess.Process
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._signature = signature(function)
        self._result = msgspec.json.Decoder(get_type_hints(function)["return"])

    async def call(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the function's result.

        Raises:
            RuntimeError: the process ended instead; its traceback is on standard error.

        """
        call = self._signature.bind(*args, **kwargs)
        call.apply_defaults()
        if self._process.stdin is not None:
            self._process.stdin.write(msgspec.json.encode(call.args) + b"\n")
            await self._process.stdin.drain()
        result: T = self._result.decode(await self.read_line())
        return result

    async def read_line(self) -> bytes:
        """Return the next line that the process writes."""
        line = await self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise RuntimeError("a measured process ended early")
        return line

    async def stop(self) -> None:
        """Close the input of the process and wait until it has ended."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()


@asynccontextmanager
async def child_process(
    function: Callable[P, Awaitable[T]],
    env: dict[str, str] | None = None,
    *,
    loop: str = "asyncio",
) -> AsyncIterator[ChildProcess[P, T]]:
    """Start a process for a function of a module, ready to be called; stopped at the end.

    Args:
        function: a coroutine function with annotations that msgspec can decode.
        env: the environment; None means this process's own without addresses of servers.
        loop: the event loop, `asyncio` or `uvloop`.

    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.child_process"),
        *(function.__module__, function.__name__, loop),
        env=plain_environment() if env is None else env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    child = ChildProcess(function, process)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await child.read_line()
        yield child
    finally:
        await child.stop()


async def _serve(function: Callable[..., Awaitable[Any]]) -> None:
    types = {name: each for name, each in get_type_hints(function).items() if name != "return"}
    arguments = msgspec.json.Decoder(tuple[tuple(types.values())])  # type: ignore[misc]
    _write_line(None)
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        _write_line(await function(*arguments.decode(line)))


def _write_line(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, module, name, loop_name = sys.argv
    run = uvloop.run if loop_name == "uvloop" else asyncio.run
    run(_serve(getattr(import_module(module), name)))
