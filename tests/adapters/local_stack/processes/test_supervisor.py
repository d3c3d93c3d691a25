import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from adapters.local_stack.errors import ChildDiedError, NotStartedError, SupervisorLostError
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_done, wait_until_ready

SLEEP = "import time; time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); {SLEEP}"


def python(folder: Path, name: str, code: str, stage: int = 0, grace: float = 5.0) -> ChildSpec:
    return ChildSpec(
        name=name,
        argv=[sys.executable, "-I", "-S", "-u", "-c", code],
        env=dict(os.environ),
        log=folder / f"{name}.log",
        stage=stage,
        grace_seconds=grace,
    )


def says_goodbye(journal: Path) -> str:
    """Code that writes the variable NAME into *journal* when asked to stop."""
    return (
        "import signal, sys, time\n"
        f"def bye(*_): open({str(journal)!r}, 'a').write(NAME + '\\n'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, bye)\nprint('up')\ntime.sleep(600)"
    )


def await_first_line(child: Child) -> None:
    """Wait until the child has said "up"."""
    wait_until_ready(child, lambda: "up" in child.spec.log.read_text(), 10)


def test_a_child_writes_to_its_log(folder: Path, supervisor: Supervisor) -> None:
    """The output of a child is in its log."""
    child = supervisor.spawn(python(folder, "talker", "print('hello')"))
    wait_until_done(child, 10)

    assert child.spec.log.read_text() == "hello\n"


def test_a_failing_child_is_named_with_the_end_of_its_log(
    folder: Path, supervisor: Supervisor
) -> None:
    """A child that dies is named, with its status and its last words."""
    child = supervisor.spawn(python(folder, "faller", "print('so it goes'); raise SystemExit(7)"))

    with pytest.raises(ChildDiedError, match=r"faller ended with status 7.*\nso it goes"):
        wait_until_done(child, 10)


def test_a_child_ended_by_a_signal_is_reported_so(folder: Path, supervisor: Supervisor) -> None:
    """The error names the signal instead of a status."""
    child = supervisor.spawn(python(folder, "victim", SLEEP))
    os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(ChildDiedError, match="victim was ended by signal 9"):
        wait_until_done(child, 10)


def test_a_program_that_is_not_there(folder: Path, supervisor: Supervisor) -> None:
    """A program that cannot be run is named with the system's reason."""
    spec = ChildSpec("ghost", ["/no/such/program"], {}, folder / "ghost.log")

    with pytest.raises(NotStartedError, match="ghost could not be started: FileNotFoundError"):
        supervisor.spawn(spec)


def test_higher_stages_stop_first(folder: Path) -> None:
    """Children stop stage by stage, the highest first, whatever the order of their start."""
    journal = folder / "journal"
    with Supervisor(folder / "supervisor.log") as supervisor:
        for stage in (1, 3, 0, 2):
            code = f"NAME = '{stage}'\n" + says_goodbye(journal)
            child = supervisor.spawn(python(folder, f"child-{stage}", code, stage=stage))
            await_first_line(child)

    assert journal.read_text().split() == ["3", "2", "1", "0"]


def test_a_deaf_child_is_killed_after_its_grace(folder: Path) -> None:
    """A child that ignores the request to stop is killed when its time is up."""
    with Supervisor(folder / "supervisor.log") as supervisor:
        child = supervisor.spawn(python(folder, "deaf", DEAF, grace=0.3))
        await_first_line(child)
        process = psutil.Process(child.pid)
        asked_at = time.monotonic()

    assert not process.is_running()
    assert 0.3 <= time.monotonic() - asked_at < 5


def test_processes_that_a_child_started_end_with_it(folder: Path, supervisor: Supervisor) -> None:
    """A process that a dead child left behind is ended as soon as the death is seen."""
    code = (
        "import subprocess, sys\n"
        f"print(subprocess.Popen([sys.executable, '-I', '-S', '-c', {SLEEP!r}]).pid)"
    )
    child = supervisor.spawn(python(folder, "parent", code))
    wait_until_ready(child, lambda: child.spec.log.read_text().endswith("\n"), 10)
    left = psutil.Process(int(child.spec.log.read_text()))
    wait_until_done(child, 10)

    assert psutil.wait_procs([left], timeout=5)[1] == []


def test_a_supervisor_can_be_started_again(folder: Path) -> None:
    """The exit statuses of an earlier start are not those of the next one's children."""
    supervisor = Supervisor(folder / "supervisor.log")
    with supervisor:
        wait_until_done(supervisor.spawn(python(folder, "first", "pass")), 10)
    with supervisor:
        second = supervisor.spawn(python(folder, "second", SLEEP))

        assert second.exit_status() is None
        assert supervisor._children == [second]


def test_one_child_can_be_stopped_alone(folder: Path, supervisor: Supervisor) -> None:
    """Stopping one child leaves the others running."""
    stopped = supervisor.spawn(python(folder, "one", SLEEP))
    other = supervisor.spawn(python(folder, "two", SLEEP))

    assert stopped.stop() == -signal.SIGTERM
    assert other.exit_status() is None


def test_children_start_with_default_signals(folder: Path, supervisor: Supervisor) -> None:
    """A child can be ended by SIGINT although the supervisor itself ignores it."""
    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_DFL)"
    child = supervisor.spawn(python(folder, "child", code))
    wait_until_done(child, 10)

    assert child.spec.log.read_text() == "True\n"


def test_a_killed_supervisor_is_noticed_and_leaves_nothing(folder: Path) -> None:
    """When the supervisor itself is killed the stack notices, and still ends every child."""
    supervisor = Supervisor(folder / "supervisor.log")
    supervisor.start()
    child = supervisor.spawn(python(folder, "child", SLEEP))
    process = psutil.Process(child.pid)
    parent = process.parent()
    assert parent is not None
    parent.kill()

    with pytest.raises(SupervisorLostError):
        child.raise_if_ended()
    supervisor.close()
    assert psutil.wait_procs([process], timeout=5)[1] == []
