from application.jobs.error_location import FRAMES, error_location


def fail(depth: int, text: str) -> None:
    """Raise, this many calls further down."""
    if depth:
        fail(depth - 1, text)
    raise ValueError(text)


def test_the_innermost_places_are_told_and_no_text() -> None:
    """Where an error arose is told by file, line and function, its message is not."""
    try:
        fail(FRAMES, "grace@example.net")
    except ValueError as error:
        told = error_location(error)

    assert told.count("application/test_whereabouts.py:") == told.count(" in fail") == FRAMES
    assert "grace" not in told


def test_an_error_that_was_never_raised_has_no_place() -> None:
    """Without a traceback there is nothing to tell."""
    assert error_location(ValueError("x")) == ""
