import pytest

from tests.faults import previous_release, previous_version


async def test_previous_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The last release serves connects, reads, bookings and webhooks on the present schema."""
    rows = await previous_version.run(previous_version.SMALL)

    if not rows:
        pytest.skip(capsys.readouterr().err.strip())
    assert [row.holds for row in rows] == [True], rows


async def test_a_history_without_the_release_skips_the_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shallow clone does not have the commit: there is no row, and the reason is printed."""
    monkeypatch.setattr(previous_release, "COMMIT", "0" * 40)

    assert await previous_version.run(previous_version.SMALL) == []
    assert "skipped: commit 0000000 is not in this repository" in capsys.readouterr().err
