from datetime import timedelta
from uuid import UUID

import pytest

from adapters.web.caching.response_cache import (
    RenderedResponse,
    ResponseCache,
    ResponseKey,
    Validity,
)
from application.availability.read_lists import SchedulesView
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.ids import UserId
from tests.adapters.web import scenario

KIB = 1024
USER = UserId(UUID(int=1))
READS = (CacheKey(CacheKind.SCHEDULES),)


def key(number: int) -> ResponseKey:
    """A key that differs by its query."""
    return ResponseKey(scenario.KEY_HASH, b"ada", "/api/calendly/schedules", b"%d" % number)


def answer(size: int = 60 * KIB) -> RenderedResponse:
    """An answer of so many bytes."""
    return RenderedResponse(b"x" * size, b'"tag"', (), (), basis_of(view()), scenario.NOW)


def view(error_code: str | None = None) -> SchedulesView:
    """A view of schedules that is valid for an hour."""
    return SchedulesView((), scenario.age(error_code=error_code), 7, scenario.origin(*READS))


def basis_of(seen: SchedulesView, max_age: timedelta | None = None) -> Validity:
    """The validity of a response from it."""
    return Validity.of(USER, seen, max_age)


def test_the_least_recently_used_makes_room() -> None:
    """Memory is bounded: what was not asked for the longest goes first."""
    answers = ResponseCache(capacity=1024 * KIB)
    for number in range(16):
        answers.put(key(number), answer())
    answers.get(key(0))

    answers.put(key(16), answer())

    assert answers.get(key(1)) is None
    assert answers.get(key(0)) is not None
    assert len(answers) == 16


def test_a_response_is_cached_once() -> None:
    """The same question asked again and again takes the room of one answer."""
    answers = ResponseCache(capacity=1024 * KIB)
    answers.put(key(0), answer())
    for _ in range(100):
        answers.put(key(1), answer())

    assert len(answers) == 2


def test_a_huge_response_evicts_no_other() -> None:
    """An answer that would take a large part of the memory is not kept."""
    answers = ResponseCache(capacity=1024 * KIB)
    answers.put(key(0), answer())

    answers.put(key(1), answer(64 * KIB))

    assert answers.get(key(1)) is None
    assert answers.get(key(0)) is not None


def test_memory_is_released() -> None:
    """A dropped response frees memory for others."""
    answers = ResponseCache(capacity=1024 * KIB)
    for number in range(100):
        answers.put(key(number), answer())
        answers.drop(key(number))
    for number in range(16):
        answers.put(key(number), answer())

    assert len(answers) == 16


def test_a_drop_removes_only_the_given_response() -> None:
    """A response that has replaced it since stays."""
    answers, old, new = ResponseCache(), answer(), answer()
    answers.put(key(0), old)
    answers.put(key(0), new)

    answers.drop(key(0), old)

    assert answers.get(key(0)) is new


@pytest.mark.parametrize("field", range(4))
def test_a_different_request_has_another_response(field: int) -> None:
    """Another key, user, path or query never gets the answer of this one."""
    answers = ResponseCache()
    answers.put(key(0), answer())
    other = list(key(0))
    other[field] = b"other" if field != 2 else "/other"

    assert answers.get(ResponseKey(*other)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("max_age", "error_code", "valid_for"),
    [
        (None, None, timedelta(hours=1)),
        (timedelta(hours=9), None, timedelta(hours=1)),
        (timedelta(seconds=100), None, timedelta(seconds=5)),
        (timedelta(0), None, timedelta(seconds=-95)),
        (None, "calendly_unavailable", timedelta(seconds=-95)),
    ],
)
def test_a_response_is_valid_as_long_as_its_caller_accepts(
    max_age: timedelta | None, error_code: str | None, valid_for: timedelta
) -> None:
    """It is not given when it has grown older than was asked for, or lacks what failed."""
    validity = basis_of(view(error_code), max_age)

    assert validity.valid_until - scenario.NOW == valid_for
