from datetime import UTC, datetime

from application.jobs.job_result import JobResult
from workflows.details import describe, describe_steps, describe_wait
from workflows.messages import Step


def test_details_name_results_and_failures() -> None:
    """A line says how many pages and rows, how they ended, and whether more is to come."""
    job_result = JobResult(
        examined=137,
        done={"refreshed": 129, "lost_race": 1},
        failed={"calendly_unavailable": 7},
        more=True,
    )

    assert describe(job_result, 2) == (
        "**2 pages, 137 examined** · lost_race 1, refreshed 129"
        " · failed: calendly_unavailable 7 · more to come"
    )


def test_details_of_an_empty_run_are_short() -> None:
    """A run that found nothing to do says just that."""
    assert describe(JobResult(), 1) == "**1 page, 0 examined**"


def test_details_say_what_a_run_waits_for() -> None:
    """A run that waits says until when and why; one that does not wait says who goes on."""
    until = datetime(2026, 11, 22, 12, 5, 10, tzinfo=UTC)

    assert describe_wait("circuit_open", until) == " · waiting until 12:05:10 UTC (circuit_open)"
    assert describe_wait("put_off", None) == " · the rest is left for the next run (put_off)"
    assert describe_wait(None, None) == ""


def test_details_of_an_onboarding_name_each_step() -> None:
    """A line says how each step ended that has ended so far, with what it changed or why not."""
    ended = {
        "availability": Step(result="synced"),
        "subscription": Step(error_code="calendly_forbidden"),
        "bookings": Step(result="backfilled", count=3),
    }

    assert describe_steps(ended) == (
        "availability **synced** · subscription **failed: calendly_forbidden**"
        " · bookings **backfilled 3**"
    )
