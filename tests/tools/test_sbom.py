"""The bill of materials is what the production lock installs; a difference fails the check."""

import json
import shutil
from importlib.metadata import PackageMetadata
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.licenses import canonicalize_license_expression

from tools.failure import ToolError
from tools.licenses import license_of
from tools.lock_file import PRODUCTION, read_lock
from tools.sbom import PAGE, SBOM, check, made, write
from tools.tracked import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the files that the bill of materials depends on."""
    (tmp_path / "docs").mkdir()
    for name in ("pyproject.toml", PRODUCTION, SBOM, PAGE):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the committed bill of materials."""
    read: dict[str, Any] = json.loads((ROOT / SBOM).read_text(encoding="utf-8"))
    return read


def test_the_committed_files_are_current() -> None:
    """Lock, bill of materials and list of licenses are of one commit."""
    check(ROOT)


def test_the_bill_lists_what_the_lock_pins(document: dict[str, Any]) -> None:
    """No package more, none less, each in the version of its pin."""
    listed = {each["purl"] for each in document["components"]}

    assert listed == {f"pkg:pypi/{pin.name}@{pin.version}" for pin in read_lock(ROOT / PRODUCTION)}


def test_the_bill_has_what_the_schema_requires(document: dict[str, Any]) -> None:
    """CycloneDX 1.6: required fields, unique references, licenses as an id or as an expression."""
    product = document["metadata"]["component"]
    described = [product, *document["components"]]
    references = [each["bom-ref"] for each in described]

    assert (document["bomFormat"], document["specVersion"], document["version"]) == (
        "CycloneDX",
        "1.6",
        1,
    )
    assert {each["type"] for each in described} == {"application", "library"}
    assert len(set(references)) == len(references)
    for each in described:
        (licensed,) = each["licenses"]
        text = licensed.get("expression") or licensed["license"]["id"]
        assert canonicalize_license_expression(text) == text


def test_each_package_is_reached_from_the_product(document: dict[str, Any]) -> None:
    """The graph has each package once, and leads from the product to all of them."""
    graph = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    reached: set[str] = set()
    ahead = [document["metadata"]["component"]["bom-ref"]]
    while ahead:
        reference = ahead.pop()
        if reference not in reached:
            reached.add(reference)
            ahead += graph[reference]

    assert len(graph) == len(document["dependencies"])
    assert reached == graph.keys()
    assert len(graph) == len(document["components"]) + 1


def test_the_same_lock_gives_the_same_bytes(project: Path) -> None:
    """Neither a date nor the folder is part of the files."""
    write(project)

    assert made(project) == made(ROOT)
    assert (project / SBOM).read_bytes() == (ROOT / SBOM).read_bytes()


@pytest.mark.parametrize("name", [SBOM, PAGE])
def test_a_stale_file_is_refused(project: Path, name: str) -> None:
    """A changed file and a missing one are named, with the command that makes them."""
    path = project / name
    path.write_text(path.read_text().replace("asyncpg", "asyncpg2"))

    with pytest.raises(ToolError, match=rf"^{name} differ from the lock: .*`make sbom`"):
        check(project)

    path.unlink()
    with pytest.raises(ToolError, match=rf"^{name} differ"):
        check(project)


def test_a_pin_that_is_not_installed_is_refused(project: Path) -> None:
    """Licenses and requirements of another version would be a guess."""
    lock = project / PRODUCTION
    lock.write_text(lock.read_text().replace("asyncpg==0", "asyncpg==9"))

    with pytest.raises(ToolError, match=r"asyncpg==9\S* is not installed here"):
        check(project)


def test_a_requirement_without_a_pin_is_refused(project: Path) -> None:
    """The lock was not made again after a change of `pyproject.toml`."""
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"asyncpg>', '"unpinned", "asyncpg>'))

    with pytest.raises(ToolError, match="lacks unpinned: run `make lock`"):
        check(project)


class Metadata:
    """The metadata of one package, in the form that `importlib.metadata` gives."""

    def __init__(self, **fields: object) -> None:
        self.json = {"name": "shop", **fields}


@pytest.mark.parametrize(
    ("fields", "license_expression"),
    [
        ({"license_expression": "mit or apache-2.0", "license": "ISC"}, "MIT OR Apache-2.0"),
        ({"license": "BSD-3-Clause"}, "BSD-3-Clause"),
        (
            {"license": "free", "classifier": ["License :: OSI Approved :: MIT License"]},
            "MIT",
        ),
        ({"name": "Jinja2"}, "BSD-3-Clause"),
    ],
    ids=["expression", "text", "classifier", "read"],
)
def test_a_license_is_an_spdx_expression(
    fields: dict[str, object], license_expression: str
) -> None:
    """The most exact declaration counts."""
    assert license_of(cast("PackageMetadata", Metadata(**fields))) == license_expression


@pytest.mark.parametrize(
    "classifiers",
    [
        [],
        ["License :: OSI Approved :: BSD License"],
        [
            "License :: OSI Approved :: MIT License",
            "License :: OSI Approved :: Apache Software License",
        ],
    ],
    ids=["none", "ambiguous", "two"],
)
def test_a_license_is_never_guessed(classifiers: list[str]) -> None:
    """A developer reads the text and writes the result down."""
    metadata = Metadata(license="see the file", classifier=classifiers)

    with pytest.raises(ToolError, match=r"shop declares no single license.*READ_FROM_TEXT"):
        license_of(cast("PackageMetadata", metadata))
