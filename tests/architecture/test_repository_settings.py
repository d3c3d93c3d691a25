"""The settings of GitHub, pre-commit and editors call the commands that a developer runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.tracked import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    """Yield every step of a workflow."""
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        yield from job["steps"]


def test_github_runs_the_same_checks_as_a_developer() -> None:
    """The workflow calls `.ci/run`, and checks the commits of a pull request."""
    runs = [step.get("run", "") for step in steps(GITHUB / "workflows" / "ci.yml")]

    assert ".ci/run" in runs
    assert "make check-commits" in runs


def test_ci_starts_from_an_empty_environment() -> None:
    """The environment is removed before the first target makes it."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()

    assert lines.index("rm -rf .venv") < lines.index("make lint") < lines.index("make test")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda each: each.name)
def test_an_action_is_pinned_to_a_commit(workflow: Path) -> None:
    """A tag can be moved; a commit cannot. The tag stays beside it for a reader."""
    used = re.findall(r"uses: (\S+)(.*)", workflow.read_text())

    assert used
    assert [name for name, _ in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)] == []
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", comment) for _, comment in used)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda each: each.name)
def test_a_workflow_may_do_only_what_it_declares(workflow: Path) -> None:
    """It names its permissions, has time limits, and puts no foreign text into a shell."""
    read = yaml.safe_load(workflow.read_text())

    assert read["permissions"]
    assert all(job["timeout-minutes"] <= 60 for job in read["jobs"].values())
    assert [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")] == []


def test_pre_commit_calls_make_lint() -> None:
    """The hook is local, so it uses the versions of the lock."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (hook,) = repository["hooks"]

    assert repository["repo"] == "local"
    assert hook["entry"] == "make lint"


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, GITHUB / "pull_request_template.md"], ids=lambda each: each.name
)
def test_every_make_target_that_is_called_exists(path: Path) -> None:
    """A target that is renamed is renamed here too."""
    named = set(re.findall(r"(?:run: |`)make ([a-z-]+)", path.read_text()))

    assert named
    assert named <= TARGETS


def test_every_issue_form_is_complete() -> None:
    """A form has a name, a description, and fields with unique names; one field is required."""
    forms = [each for each in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if each.stem != "config"]

    assert len(forms) == 2
    for form in forms:
        read = yaml.safe_load(form.read_text())
        fields = [each for each in read["body"] if each["type"] != "markdown"]
        names = [each["id"] for each in fields]
        assert read["name"]
        assert read["description"]
        assert len(names) == len(set(names))
        assert any(each.get("validations", {}).get("required") for each in fields)
