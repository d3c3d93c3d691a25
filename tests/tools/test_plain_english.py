from pathlib import Path

import pytest
from click.testing import CliRunner

from tools import plain_english
from tools.plain_english import main

LONG = "word " * 27 + "end."


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one document that has two findings, and one without any."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "old.md").write_text(f"It is told.\n\n{LONG}\n", encoding="utf-8")
    (tmp_path / "new.md").write_text("It is reported.\n", encoding="utf-8")
    tracked = [Path("docs/old.md"), Path("new.md"), Path("data.json")]
    monkeypatch.setattr(plain_english, "ROOT", tmp_path)
    monkeypatch.setattr(plain_english, "tracked_files", lambda: tracked)
    return tmp_path


@pytest.mark.usefixtures("root")
def test_a_finding_is_one_line_and_exit_1() -> None:
    """The line names the place, the word, the replacement and the rule."""
    result = CliRunner().invoke(main)

    assert result.exit_code == 1
    assert result.stdout == (
        'docs/old.md:1: "told": use "notified, reported, informed" instead (idiom)\n'
    )


def test_plain_prose_is_exit_0(root: Path) -> None:
    """The paths choose the files; without a finding nothing is printed."""
    result = CliRunner().invoke(main, [str(root / "new.md")])

    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.usefixtures("root")
def test_the_strict_limit_is_the_goal() -> None:
    """`--strict-length` also finds sentences between the goal and the default limit."""
    result = CliRunner().invoke(main, ["--strict-length"])

    assert 'docs/old.md:3: "28 words"' in result.stdout


@pytest.mark.usefixtures("root")
def test_the_summary_counts_by_folder_and_word() -> None:
    """`--summary` prints numbers instead of places."""
    result = CliRunner().invoke(main, ["--summary"])

    assert result.stdout.split("\n")[:2] == ["    1 docs", "    1 told (idiom)"]
    assert result.exit_code == 1
