"""Making the locks."""

import os
import socket
from pathlib import Path

import pytest

from tools.lock import main, oldest_python

ROOT = Path(__file__).parents[2]


def test_the_locks_are_made_for_the_oldest_python() -> None:
    """The requirement of the project decides from which Python on the locks hold."""
    assert oldest_python(ROOT) == "3.11"


def test_locks_that_cannot_be_made_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without an index the command fails with a message, and changes no file."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text("as it was")

    assert main([]) == 1

    assert "The locks are unchanged" in capfd.readouterr().err
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "requirements.lock": "as it was",
        "requirements-dev.lock": "as it was",
    }
