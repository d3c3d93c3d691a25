"""Commands that are imported when they are called, so that `slotkeeper --help` is quick.

A command is named by `module:attribute`. A module that cannot be imported fails only its own
command.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

import click

ENTRY_POINT_GROUP = "slotkeeper.commands"


@dataclass(frozen=True)
class Spec:
    """Where a command lives, `module:attribute`, and its line in the list of commands.

    `distribution` contains the command if it is not this one; it may be missing.
    """

    target: str
    summary: str
    distribution: str | None = None


class LazyCommand(click.Command):
    """A command that is imported when it is called."""

    def __init__(self, name: str, spec: Spec) -> None:
        super().__init__(name, short_help=spec.summary, add_help_option=False)
        self._target = spec.target
        self._distribution = spec.distribution

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Import the real command; click uses that one from here on."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> click.Command:
        """Import and return the real command.

        Raises:
            ImportError, AttributeError: the target does not exist.
            TypeError: the target is not a command.
            click.ClickException: the distribution of the command is not installed.

        """
        module, _, attribute = self._target.partition(":")
        if self._distribution and not _is_installed(module):
            raise click.ClickException(
                f"`{self.name}` is not part of a production installation. Install the wheel"
                f" {self._distribution} of the same release, and its extra `local` for `dev` and"
                " `demo`."
            )
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self._target} is not a command")
        return command


def _is_installed(module: str) -> bool:
    """Return whether a module can be found; a module that fails to import is found too."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class LazyGroup(click.Group):
    """A group of lazy commands by name: those in `specs`, and those of installed packages.

    `summaries` are the lines in the list for commands from entry points.
    """

    def __init__(
        self, *args: Any, specs: Mapping[str, Spec], summaries: Mapping[str, str], **extra: Any
    ) -> None:
        super().__init__(*args, **extra)
        installed = {
            entry.name: Spec(entry.value, summaries.get(entry.name, f"From {entry.value}."))
            for entry in entry_points(group=ENTRY_POINT_GROUP)
        }
        for name, spec in {**installed, **specs}.items():
            self.add_command(LazyCommand(name, spec))
