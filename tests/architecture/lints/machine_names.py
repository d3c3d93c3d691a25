"""No file of the repository names a developer's machine or a package registry.

A path of the machine it was written on works nowhere else, and tells strangers about that
machine. A registry's host is the installation's choice, set where it is installed: one written
down here breaks behind every mirror.
"""

import re
from collections.abc import Iterator

_MACHINE = re.compile(r"(?<![\w.:/~}-])/(?:work|root|home|Users|opt|var/folders)/[\w.]")
_REGISTRY = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|ghcr\.io|docker\.io|quay\.io|gcr\.io"
    r"|proxy\.golang\.org|[\w-]+\.jfrog\.io)\b|--(?:extra-)?index-url|--find-link[s]"
)


def offences(text: str) -> Iterator[str]:
    """Yield `line: what` for each machine path and registry that a text names."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in (_MACHINE, _REGISTRY):
            if found := pattern.search(line):
                yield f"{number}: {found[0]}"
