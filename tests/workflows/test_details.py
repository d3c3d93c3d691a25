from application.tally import Tally
from workflows.details import describe


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
