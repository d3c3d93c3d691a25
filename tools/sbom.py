"""`python -m tools.sbom`: write the bill of materials and the list of licenses of production.

`sbom.cdx.json` is a software bill of materials in CycloneDX 1.6. `docs/dependencies.md` is the
same list for readers: each package, its license, and the packages that ask for it. Both follow
from `pyproject.toml`, the production lock and the metadata of the installed packages alone. They
have no date and no serial number, so that the same lock gives the same bytes on every machine.
The hashes stay in the lock: a package has one for each of its files.

`--check` writes nothing, and fails if a file differs.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tools.components import Component, components
from tools.failure import ToolError, exit_code
from tools.lock_check import declared

SBOM = "sbom.cdx.json"
PAGE = "docs/dependencies.md"
_INTRODUCTION = """\
# Dependencies

Made by `make sbom` from `requirements.lock`; do not edit. `make lint` fails if this page or \
`sbom.cdx.json` differs from the lock. The licenses are those that the packages declare, as SPDX \
expressions. The SHA-256 hashes are in the lock.
"""


def made(project: Path) -> dict[str, str]:
    """Return the text of both files of a project, by path.

    Raises:
        ToolError: a package of the lock is not installed here, or its license is unknown.

    """
    pyproject = (project / "pyproject.toml").read_text(encoding="utf-8")
    own = tomllib.loads(pyproject)["project"]
    found = components(project, declared(pyproject))
    return {SBOM: _document(own, found), PAGE: _page(found)}


def _document(own: dict[str, Any], found: Sequence[Component]) -> str:
    product = _described("application", own["name"], own["version"], own["license"])
    needs = {product["bom-ref"]: [each for each in found if each.direct]}
    by_name = {each.name: each for each in found}
    for each in found:
        needs[_purl(each.name, each.version)] = [by_name[name] for name in each.needs]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product},
        "components": [_component(each) for each in found],
        "dependencies": [
            {"ref": ref, "dependsOn": [_purl(each.name, each.version) for each in asked]}
            for ref, asked in needs.items()
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _component(each: Component) -> dict[str, Any]:
    described = _described("library", each.name, each.version, each.license)
    if each.marker:
        described["properties"] = [{"name": "slotkeeper:marker", "value": each.marker}]
    return described


def _described(kind: str, name: str, version: str, licensed: str) -> dict[str, Any]:
    purl = _purl(name, version)
    return {
        "type": kind,
        "bom-ref": purl,
        "name": name,
        "version": version,
        "licenses": [_license(licensed)],
        "purl": purl,
    }


def _license(licensed: str) -> dict[str, Any]:
    """Return one license by its id, a combination as an expression; CycloneDX keeps them apart."""
    return {"expression": licensed} if " " in licensed else {"license": {"id": licensed}}


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _page(found: Sequence[Component]) -> str:
    direct = [each for each in found if each.direct]
    indirect = [each for each in found if not each.direct]
    askers = {
        each.name: ", ".join(other.name for other in found if each.name in other.needs)
        for each in indirect
    }
    parts = [
        _INTRODUCTION,
        f"## Asked for by Slotkeeper ({len(direct)})\n",
        _table(
            ("package", "version", "license"),
            ((each.name, each.version, each.license) for each in direct),
        ),
        f"## Installed only because a dependency asks for it ({len(indirect)})\n",
        _table(
            ("package", "version", "license", "asked for by"),
            ((each.name, each.version, each.license, askers[each.name]) for each in indirect),
        ),
    ]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- ", "|---")


def write(project: Path) -> None:
    """Write both files of a project."""
    for name, text in made(project).items():
        (project / name).write_text(text, encoding="utf-8")


def check(project: Path) -> None:
    """Compare both files of a project with its lock.

    Raises:
        ToolError: a file is missing or differs.

    """
    stale = [name for name, text in made(project).items() if _read(project / name) != text]
    if stale:
        raise ToolError(
            f"{' and '.join(stale)} differ from the lock: make them again with `make sbom`."
        )


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files of the project in the current folder; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.sbom")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    given = parser.parse_args(arguments)
    return exit_code(lambda: (check if given.check else write)(Path.cwd()))


if __name__ == "__main__":
    sys.exit(main())
