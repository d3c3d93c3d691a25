import subprocess
import sysconfig
import tomllib
from pathlib import Path

from tests.architecture.source import PRODUCT
from tools.tracked import ROOT

LINT_IMPORTS = Path(sysconfig.get_path("scripts")) / "lint-imports"


def test_imports_point_one_way() -> None:
    """Every import contract of the project is kept."""
    ran = subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " 0 broken" in ran.stdout


def test_every_package_is_under_contract() -> None:
    """No package of the product escapes the contracts, and the layers are in their order.

    The tools are not part of the product, so a contract separates them.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]

    assert set(contracts["root_packages"]) == {*PRODUCT, "tools"}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], "sandbox"} == set(PRODUCT)
    assert contracts["contracts"][0]["layers"] == [
        "workflows",
        "adapters",
        "application",
        "domain",
    ]
