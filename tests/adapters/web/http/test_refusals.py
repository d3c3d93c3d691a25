import time

import pytest
import structlog
from structlog.testing import LogCapture

from adapters.web.http import refusals


def test_a_flood_of_overloads_is_a_line_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first refusal is logged immediately; the next line has the number of those since."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(refusals, "_overloads", refusals._Overloads())
    capture = LogCapture()
    structlog.configure(processors=[capture])

    for _ in range(500):
        refusals.count_refusal(refusals.OVERLOADED)
    now += refusals.LOG_EVERY
    refusals.count_refusal(refusals.OVERLOADED_LAST)
    refusals.count_refusal(refusals.HEAD_TOO_LARGE)

    structlog.reset_defaults()
    assert [(each["log_level"], each["reason"], each["refused"]) for each in capture.entries] == [
        ("error", "overloaded", 1),
        ("error", "overloaded", 500),
    ]
