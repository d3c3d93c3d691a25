from application.jobs.error_location import FRAMES, error_location


def fail(depth: int, text: str) -> None:
    """Raise, this many calls further down."""
    if depth:
        fail(depth - 1, text)
    raise ValueError(text)


def test_the_innermost_frames_are_named_without_the_message() -> None:
    """The location names file, line and function of each frame, and omits the message."""
    try:
        fail(FRAMES, "grace@example.net")
    except ValueError as error:
        location = error_location(error)

    frames = location.count("jobs/test_error_location.py:")
    assert frames == location.count(" in fail") == FRAMES
    assert "grace" not in location


def test_an_error_that_was_never_raised_has_no_location() -> None:
    """Without a traceback the location is empty."""
    assert error_location(ValueError("x")) == ""
