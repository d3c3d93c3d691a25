import dataclasses

import psutil
import pytest

from adapters.local_stack.errors import ChildDiedError, NotReadyError
from adapters.local_stack.stack import LocalStack
from tests.adapters.local_stack.stacks import TestStack, processes_in, watch


@pytest.mark.parametrize("name", ["migrate", "sandbox", "keys", "worker"])
def test_a_part_that_dies_while_starting_is_named(stack: TestStack, name: str) -> None:
    """A part that dies while the stack starts is named with its last words, and all stops."""
    with pytest.raises(ChildDiedError, match=f"{name} ended with status 3") as raised:
        LocalStack(stack.failing(f"{name}:die").config).start()

    assert f"the last word of {name}" in str(raised.value)
    assert processes_in(stack.home.parent) == []


def test_a_part_that_never_gets_ready_is_named(stack: TestStack) -> None:
    """A part that is not ready in time is named, and what had started is stopped."""
    config = dataclasses.replace(stack.failing("worker:mute").config, step_timeout_seconds=4)

    with pytest.raises(NotReadyError, match="worker was not ready within 4 s"):
        LocalStack(config).start()
    assert processes_in(stack.home.parent) == []


def test_a_part_that_dies_later_is_named(stack: TestStack) -> None:
    """A part that is killed while the stack runs is named when the stack is asked."""
    running = LocalStack(stack.config)
    addresses = running.start()
    running.raise_if_a_child_ended()
    psutil.Process(addresses.pids["temporal"]).kill()

    with pytest.raises(ChildDiedError, match="temporal was ended by signal 9"):
        watch(running)
    running.stop()
