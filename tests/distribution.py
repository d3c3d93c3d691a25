"""Which tests one process of pytest runs one after the other, when several share them.

Every other module goes whole to whichever process is free: handing out single tests costs more
than most of them, and a module's fixtures would be made twice. Not pytest-xdist's own marks: what
they add to a test's name pytest 9.2 does not hand on.
"""

from xdist.scheduler import LoadScopeScheduling

# What measures, kills or is a whole stack would starve each other, and two processes would both
# build the stack that the tests of one share.
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
