"""The SQL statements that a piece of work sends, each under the name of its constant."""

import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import asyncpg
import pytest

from adapters import persistence

_METHODS = ("fetch", "fetchrow", "fetchval", "execute", "executemany")
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK")
_NAME = re.compile(r"_?[A-Z][A-Z_]+")
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE) \"?(\w+)")
# `%s` in a constant is the part of a statement whose length depends on the request.
_VARIABLE = "%s"


class Constant(NamedTuple):
    """A module's SQL constant: the file's path below `adapters/persistence/`, its name, its text."""

    file: str
    name: str
    text: str


@cache
def constants() -> tuple[Constant, ...]:
    """Return every constant of `adapters/persistence` that begins a statement, longest first."""
    found = [
        Constant(
            f"{name.removeprefix(f'{persistence.__name__}.').replace('.', '/')}.py", key, text
        )
        for _, name, package in pkgutil.walk_packages(
            persistence.__path__, f"{persistence.__name__}."
        )
        if not package and "piccolo_migrations" not in name
        for key, text in _own_constants(import_module(name))
        if re.search(r"\b[A-Z]{4,} ", text)
    ]
    return tuple(sorted(found, key=lambda each: (-len(each.text), each)))


def _own_constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield name and text of each constant that a module defines, not of those it imports."""
    source = inspect.getsource(module)
    for key, value in vars(module).items():
        if isinstance(value, str) and _NAME.fullmatch(key) and f"\n{key} = " in source:
            yield key, value


def name_of(sql: str) -> str:
    """Return the name of a statement.

    Args:
        sql: the text as it is sent.

    Returns:
        `BEGIN` and the like; the constant's file and name; for a statement that Piccolo builds, its verb
        and its table, such as `SELECT calendly_circuit_breaker`.

    """
    if sql.startswith(CONTROL):
        return sql.split(";", maxsplit=1)[0]
    for each in constants():
        if sql.startswith(each.text.partition(_VARIABLE)[0]):
            return f"{each.file} {each.name}"
    table = _TABLE.search(sql)
    return f"{sql.split(maxsplit=1)[0]} {table[1] if table else ''}".strip()


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield a list that receives the name of each statement of this process, in order."""
    sent: list[str] = []

    def record(original: Any, self: Any, sql: str, *args: Any, **options: Any) -> Any:
        sent.append(name_of(sql))
        return original(self, sql, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        for method in _METHODS:
            original = getattr(asyncpg.Connection, method)
            wrapper = partial(record, original)
            patch.setattr(asyncpg.Connection, method, _method(wrapper, method))
        yield sent


def _method(wrapper: Any, name: str) -> Any:
    def call(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        return wrapper(self, sql, *args, **options)

    call.__name__ = name
    return call
