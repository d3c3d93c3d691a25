from application.jobs.job_result import JobCounter, JobResult


def test_tallies_add_up() -> None:
    """Two pages together have the counts of both and go on where the later one ended."""
    first = JobResult(3, {"synced": 2}, {"circuit_open": 1}, cursor="a", more=True)
    second = JobResult(3, {"synced": 1, "partly": 1}, {"calendly_error": 1}, cursor="b")

    assert first.plus(second) == JobResult(
        6, {"synced": 3, "partly": 1}, {"circuit_open": 1, "calendly_error": 1}, cursor="b"
    )


def test_counting_reports_its_progress() -> None:
    """After each row the result so far is reported."""
    reports: list[JobResult] = []
    counter = JobCounter(reports.append)

    counter.done("synced")
    counter.failed("circuit_open")

    assert reports == [
        JobResult(1, {"synced": 1}),
        JobResult(2, {"synced": 1}, {"circuit_open": 1}),
    ]
    assert counter.page(more=True, cursor="c") == JobResult(
        2, {"synced": 1}, {"circuit_open": 1}, cursor="c", more=True
    )
