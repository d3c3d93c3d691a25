from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import (
    CalendlyNotFound,
    CalendlyThrottled,
    CalendlyUnavailable,
    CircuitOpen,
    GrantRefused,
    SlotkeeperError,
    StorageUnavailable,
)
from workflows.failures import LONGEST_MESSAGE, Attempt, to_failure


@pytest.mark.parametrize(
    ("error", "code", "retried"),
    [
        (CalendlyUnavailable("Down."), "calendly_unavailable", True),
        (CalendlyThrottled("Slow down."), "calendly_throttled", True),
        (CalendlyNotFound("Gone."), "calendly_not_found", False),
        (GrantRefused("Connect again."), "grant_refused", False),
    ],
)
def test_the_kind_of_an_error_decides_whether_it_is_retried(
    error: SlotkeeperError, code: str, retried: bool
) -> None:
    """Passing errors are retried; permanent ones and those that need a person are not."""
    failure = to_failure(error)

    assert failure.type == code
    assert failure.message == error.message
    assert failure.non_retryable is not retried


def test_a_persistent_activity_retries_everything() -> None:
    """A permanent error is retried where an operator may fix the cause, and still alarms."""
    failure = to_failure(GrantRefused("Connect again."), persistent=True)

    assert not failure.non_retryable
    assert failure.type == "grant_refused"
    assert failure.category is not ApplicationErrorCategory.BENIGN


def test_what_was_asked_to_be_waited_is_waited() -> None:
    """A known waiting time becomes the delay of the next attempt."""
    assert to_failure(CircuitOpen("Open.", retry_after=42)).next_retry_delay == timedelta(
        seconds=42
    )
    assert to_failure(CircuitOpen("Open.")).next_retry_delay is None
    assert to_failure(CalendlyNotFound("Gone.", retry_after=5)).next_retry_delay is None


@pytest.mark.parametrize(
    ("number", "error", "delay"),
    [
        (1, CalendlyUnavailable("Down."), timedelta(seconds=1)),
        (4, CalendlyUnavailable("Down."), timedelta(seconds=8)),
        (99, CalendlyUnavailable("Down."), timedelta(minutes=2.5)),
        (3, StorageUnavailable("Down."), timedelta(seconds=2)),
        (7, CalendlyThrottled("Slow down.", retry_after=60), timedelta(seconds=61)),
        (1, CalendlyNotFound("Gone."), None),
    ],
)
def test_the_retry_table_says_when_the_next_attempt_comes(
    number: int, error: SlotkeeperError, delay: timedelta | None
) -> None:
    """Delays grow with the attempts, are spread by chance, and never shorter than was asked."""
    assert to_failure(error, Attempt(number, 0.5)).next_retry_delay == delay


def test_a_persistent_activity_is_spread_out_too() -> None:
    """A final error that is still retried waits as the table says."""
    failure = to_failure(GrantRefused("Connect again."), Attempt(2, 0.5), persistent=True)

    assert failure.next_retry_delay == timedelta(seconds=2)


def test_a_bug_waits_as_its_activity_says() -> None:
    """An error that is not ours is no matter of the table: a deploy has to come first."""
    assert to_failure(ValueError("x"), Attempt(1, 0.5)).next_retry_delay is None


def test_an_unexpected_error_shows_its_class_and_place_only() -> None:
    """The text of an exception that is not ours, which may quote data, is left behind."""
    failure = None
    try:
        {"known": 1}["visitor@example.com"]
    except KeyError as error:
        failure = to_failure(error)

    assert failure is not None
    assert failure.type == "unexpected"
    assert not failure.non_retryable
    assert "visitor" not in failure.message
    assert failure.message.startswith("KeyError at workflows/test_failures.py:")


def test_an_error_from_a_group_of_tasks_is_reported_like_any_other() -> None:
    """An error in a task group keeps its own code, and a bug is reported before an outage."""
    weather = StorageUnavailable("PostgreSQL is away.")

    assert to_failure(ExceptionGroup("tasks", [weather])).type == "storage_unavailable"
    nested = ExceptionGroup("tasks", [weather, ExceptionGroup("inner", [ValueError("x")])])
    assert to_failure(nested).message == "ValueError"


def test_a_long_message_is_cut() -> None:
    """A message cannot fill a history."""
    assert len(to_failure(CalendlyUnavailable("x" * 10_000)).message) == LONGEST_MESSAGE


def test_a_failure_that_was_mapped_already_stays_as_it_is() -> None:
    """Nothing is wrapped twice: the outermost failure decides about retries."""
    failure = ApplicationError("final", type="done", non_retryable=True)

    assert to_failure(failure) is failure
