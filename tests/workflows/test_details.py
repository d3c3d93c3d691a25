from application.tally import Tally
from workflows.details import describe, describe_steps
from workflows.messages import Step


def test_details_name_results_and_failures() -> None:
    """A line says how many pages and rows, how they ended, and whether more is to come."""
    tally = Tally(
        examined=137,
        done={"refreshed": 129, "lost_race": 1},
        failed={"calendly_unavailable": 7},
        more=True,
    )

    assert describe(tally, 2) == (
        "**2 pages, 137 examined** · lost_race 1, refreshed 129"
        " · failed: calendly_unavailable 7 · more to come"
    )


def test_details_of_an_empty_run_are_short() -> None:
    """A run that found nothing to do says just that."""
    assert describe(Tally(), 1) == "**1 page, 0 examined**"


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
