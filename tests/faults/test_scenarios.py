from importlib import import_module
from inspect import iscoroutinefunction

import pytest
from click.testing import CliRunner

from tests.faults import __main__, kills, scenarios
from tests.faults.row import Row, table

KEPT = Row(what="a fault", must="0 lost", seen="0 lost", holds=True)
BROKEN = Row(what="another fault", must="0 lost", seen="7 lost", holds=False)


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_every_scenario_has_a_full_size(name: str) -> None:
    """Every scenario of the command line can be run, and shrunk."""
    module = import_module(scenarios.SCENARIOS[name])

    assert iscoroutinefunction(module.run)
    assert scenarios.scaled(module.FULL, 1.0) == module.FULL
    assert scenarios.scaled(module.FULL, 0.1) != module.FULL


def test_only_the_numbers_that_scale_shrink() -> None:
    """A number that does not scale stays, and nothing shrinks to nothing."""
    shrunk = scenarios.scaled(kills.KillSize(a_step=500, at_once=10), 0.001)

    assert shrunk == kills.KillSize(a_step=1, at_once=10)


def test_the_table_points_at_what_falls_short() -> None:
    """A row that does not hold is not to be overlooked."""
    [_, _, kept, broken] = table([KEPT, BROKEN]).splitlines()

    assert kept == "| a fault | 0 lost | 0 lost | yes |"
    assert broken == "| another fault | 0 lost | 7 lost | **NO** |"


def test_one_row_that_falls_short_fails_the_whole_run() -> None:
    """The exit status alone shows that a row falls short."""
    assert __main__.report([KEPT]) == 0
    assert __main__.report([KEPT, BROKEN]) == 1


def test_an_unknown_scenario_is_refused() -> None:
    """A misspelt name is refused with the list of names."""
    result = CliRunner().invoke(__main__.main, ["kill"])

    assert result.exit_code == 2
    assert "database_outage" in result.output
