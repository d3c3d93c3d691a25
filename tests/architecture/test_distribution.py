import pytest

from tests.distribution import TOGETHER, place_of
from tools.tracked import ROOT

PATHS = [path for paths in TOGETHER.values() for path in paths]


@pytest.mark.parametrize("path", PATHS)
def test_what_runs_together_exists(path: str) -> None:
    """Tests that were moved do not leave their group unnoticed."""
    assert (ROOT / path).is_dir() or (ROOT / f"{path}.py").is_file()


def test_everything_else_goes_where_there_is_room() -> None:
    """A group stays in one process; so does any other module, by itself."""
    heavy = {place_of(f"{path}/test_a.py::test_b") for path in TOGETHER["heavy"]}

    assert heavy == {"heavy"}
    assert place_of("tests/domain/test_a.py::test_b") == "tests/domain/test_a.py"
