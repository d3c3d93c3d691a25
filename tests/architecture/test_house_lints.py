import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.lints import (
    machine_names,
    naive_time,
    no_clock,
    one_transaction,
    tests_claim,
    workflow_options,
)
from tests.architecture.source import PRODUCT, Module, modules
from tools.tracked import ROOT, tracked_files

Lint = Callable[[ast.Module], Iterator[ast.AST]]
SYSTEM = "adapters/system/"


def offenders(lint: Lint, inspected: tuple[Module, ...]) -> list[str]:
    """Return where a lint finds something."""
    return [module.at(node) for module in inspected for node in lint(module.tree)]


def found(lint: Lint, code: str) -> int:
    """Return how much a lint finds in a snippet."""
    return len(list(lint(ast.parse(code))))


def test_no_time_is_naive() -> None:
    """No module but the system clock's makes a time without an offset."""
    inspected = [each for each in modules(*PRODUCT) if SYSTEM not in each.path.as_posix()]

    assert offenders(naive_time.offences, tuple(inspected)) == []


def test_rules_and_workflows_read_no_clock() -> None:
    """Domain, use cases and workflows receive the time and never read the machine's clock."""
    assert offenders(no_clock.offences, modules("domain", "application", "workflows")) == []


def test_activities_are_called_with_argued_options() -> None:
    """Every time-out and retry of an activity is in one module, with its reason."""
    assert offenders(workflow_options.offences, modules("workflows")) == []


def test_a_unit_of_work_waits_for_the_database_alone() -> None:
    """No connection or row lock is held while Calendly or Temporal is awaited."""
    assert offenders(one_transaction.offences, modules("application")) == []


def test_every_test_makes_a_claim_and_checks_it() -> None:
    """No test lacks its sentence, and none is unable to fail."""
    written = modules("tests")
    known = tests_claim.checkers(each.tree for each in written)

    assert [
        each.at(test) for each in written for test in tests_claim.offences(each.tree, known)
    ] == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    """The repository works on any machine and behind any package mirror."""
    named = []
    for path in tracked_files():
        text = (ROOT / path).read_bytes().decode(errors="replace")
        named += [f"{path.as_posix()}:{each}" for each in machine_names.offences(text)]

    assert named == []


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now()",
        "datetime.datetime.now()",
        "datetime.utcnow()",
        "dt.datetime.utcfromtimestamp(1)",
        "datetime.fromtimestamp(1)",
        "datetime.today()",
        "date.today()",
        "time.time()",
        "time.time_ns()",
        "from time import time\ntime()",
        "from time import time as clock\nclock()",
    ],
)
def test_the_lint_finds_naive_time(code: str) -> None:
    """Each way of making a naive time is found."""
    assert found(naive_time.offences, code) == 1


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "datetime.now(tz=UTC)",
        "datetime.fromtimestamp(1, tz=UTC)",
        "clock.now()",
        "workflow.now()",
        "time.monotonic()",
    ],
)
def test_the_lint_lets_aware_time_pass(code: str) -> None:
    """An aware time, a port's or a workflow's is allowed."""
    assert found(naive_time.offences, code) == 0


@pytest.mark.parametrize(
    ("code", "offences"),
    [
        ("datetime.now(UTC)", 1),
        ("time.time()", 1),
        ("time.monotonic()", 0),
        ("date.today()", 1),
        ("self._clock.now()", 0),
        ("workflow.now()", 0),
    ],
)
def test_the_lint_finds_clocks(code: str, offences: int) -> None:
    """Reading the machine's clock is found even where it is aware."""
    assert found(no_clock.offences, code) == offences


@pytest.mark.parametrize(
    ("code", "offences"),
    [
        ("workflow.execute_activity(work, page, **options.PAGE)", 0),
        ("workflow.execute_activity_method(Work.run, args=[1, 2], **options.PAGE)", 0),
        ("super().execute_activity(request)", 0),
        ("workflow.execute_activity(work, page)", 1),
        ("workflow.start_activity(work, start_to_close_timeout=hour)", 1),
        ("workflow.execute_local_activity(work, **OPTIONS)", 1),
        ("workflow.execute_activity_method(Work.run, summary='x', **options.PAGE)", 1),
        ("run_pages(Work.run, options.PAGE, state)", 0),
        ("run_pages(Work.run, config, state)", 1),
        (
            (
                "async def run_pages(config: ActivityConfig):"
                " await workflow.execute_activity_method(Work.run, page, **config)"
            ),
            0,
        ),
        (
            (
                "async def other(config: ActivityConfig):"
                " await workflow.execute_activity_method(Work.run, page, **config)"
            ),
            1,
        ),
        ("execute_activity(work)", 1),
    ],
)
def test_the_lint_finds_options_of_their_own(code: str, offences: int) -> None:
    """An activity called with anything but named options is found."""
    assert found(workflow_options.offences, code) == offences


UNIT = "async def run(self):\n    async with self._storage() as uow:\n        "


@pytest.mark.parametrize(
    ("code", "offences"),
    [
        (UNIT + "await uow.bookings.put([await uow.users.find(1)])", 0),
        (UNIT + "await settle(uow, facts)", 0),
        (UNIT + "await settle(facts, unit=uow)", 0),
        (UNIT + "cache = uow.availability; await cache.put(1)", 0),
        (UNIT + "cache, one = uow.availability, 1; await cache.put(one)", 0),
        (UNIT + "cache, one = 1, uow.availability; await cache.put(2)", 1),
        (UNIT + "pass\n    await self._calendly.page(access)", 0),
        (UNIT + "await self._calendly.page(access)", 1),
        (UNIT + "await uow.bookings.put(await self._calendly.page(access))", 1),
        (UNIT + "await self._session.call(lambda: uow)", 1),
        (UNIT + "await asyncio.gather(*work)", 1),
        (UNIT + "async for each in self._calendly.pages(): pass", 1),
        (UNIT + "async with self._lock: pass", 1),
        ("async def settle(uow, facts):\n    await gateway.page()", 1),
        ("async def settle(uow, facts):\n    await uow.bookings.put(facts)", 0),
        ("async def free(self):\n    await self._calendly.page()", 0),
    ],
)
def test_the_lint_finds_foreign_waits(code: str, offences: int) -> None:
    """Every wait of a unit of work for another system than the database is found."""
    assert found(one_transaction.offences, code) == offences


SAYS = '    """A claim of the product."""\n'


@pytest.mark.parametrize(
    ("code", "offences"),
    [
        (f"def test_a():\n{SAYS}    assert one == 1", 0),
        (f"async def test_a():\n{SAYS}    with pytest.raises(ValueError): one()", 0),
        (f"def test_a():\n{SAYS}    problem_in(answer, 404)", 0),
        (f"def test_a():\n{SAYS}    tests.web.problem_in(answer, 404)", 0),
        (f"@given(st.text())\ndef test_a(text):\n{SAYS}    read(text)", 0),
        ("def example():\n    return 1", 0),
        (f"def test_a():\n{SAYS}    one()", 1),
        ("def test_a():\n    assert one == 1", 1),
        ('def test_a():\n    """No full stop"""\n    assert one == 1', 1),
        ('def test_a():\n    """Works."""\n    assert one == 1', 1),
    ],
)
def test_the_lint_finds_tests_that_claim_or_check_nothing(code: str, offences: int) -> None:
    """A test without a sentence or without a check is found."""
    tree = ast.parse(code)

    assert len(list(tests_claim.offences(tree, {"problem_in"}))) == offences


def test_a_helper_that_calls_a_checker_checks() -> None:
    """A check is recognised through any number of helpers, and only there."""
    tree = ast.parse(
        "def check(one):\n    assert one\n"
        "def outer(one):\n    check(one)\n"
        "def outermost(one):\n    helpers.outer(one)\n"
        "def other(one):\n    return one\n"
    )

    assert tests_claim.checkers([tree]) == {"check", "outer", "outermost"}


@pytest.mark.parametrize("folder", ["work", "root", "home", "Users", "opt"])
@pytest.mark.parametrize("before", ["", " ", '"', "=", "("])
def test_the_lint_finds_machine_paths(folder: str, before: str) -> None:
    """A path of a developer's machine is found at any place."""
    assert list(machine_names.offences(f"one\n{before}/{folder}/thing")) == [f"2: /{folder}/t"]


@pytest.mark.parametrize("host", ["pypi.{}", "files.pythonhosted.{}", "registry.npmjs.{}"])
def test_the_lint_finds_registries(host: str) -> None:
    """A registry's host is found in an address."""
    address = "https://" + host.format("org") + "/simple"

    assert len(list(machine_names.offences(address))) == 1


@pytest.mark.parametrize(
    "text",
    ["https://app.example.com/home/page", "docs/work/plan.md", "/api/work", "/etc/ssl", "~/opt/x"],
)
def test_the_lint_lets_other_paths_pass(text: str) -> None:
    """Addresses, relative paths and the system's own are allowed."""
    assert list(machine_names.offences(text)) == []
