from application.jobs.job_result import Counting, Tally


def test_tallies_add_up() -> None:
    """Two pages together have the counts of both and go on where the later one ended."""
    first = Tally(3, {"synced": 2}, {"circuit_open": 1}, cursor="a", more=True)
    second = Tally(3, {"synced": 1, "partly": 1}, {"calendly_error": 1}, cursor="b")

    assert first.plus(second) == Tally(
        6, {"synced": 3, "partly": 1}, {"circuit_open": 1, "calendly_error": 1}, cursor="b"
    )


def test_counting_tells_its_progress() -> None:
    """After each row the tally so far is told."""
    told: list[Tally] = []
    counting = Counting(told.append)

    counting.done("synced")
    counting.failed("circuit_open")

    assert told == [
        Tally(1, {"synced": 1}),
        Tally(2, {"synced": 1}, {"circuit_open": 1}),
    ]
    assert counting.page(more=True, cursor="c") == Tally(
        2, {"synced": 1}, {"circuit_open": 1}, cursor="c", more=True
    )
