"""Which tests one process of pytest runs one after the other, when several share them.

Every other module goes whole to the next free process. Handing out single tests costs more than
most of them, and a module's fixtures would be made twice. The marks of pytest-xdist do not work,
because they add to a test's name, and pytest 9.2 does not pass that on.
"""

from xdist.scheduler import LoadScopeScheduling

# Tests that measure, kill processes or run a whole stack would starve each other. Two processes
# would also both build the stack that the tests of one share.
TOGETHER = {
    "heavy": ("tests/bench/", "tests/docs/test_readme", "tests/faults/", "tests/journeys/"),
    "stacks": ("tests/adapters/local_stack/",),
}


def place_of(test: str) -> str:
    """Return what the test with this id shares a process with: its group, else its module."""
    module = test.partition("::")[0]
    return next((name for name, paths in TOGETHER.items() if test.startswith(paths)), module)


class Sharing(LoadScopeScheduling):  # type: ignore[misc] # it comes without types
    """Hands out groups and modules, those with the most tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return place_of(nodeid)
