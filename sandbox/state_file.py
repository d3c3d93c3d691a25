"""Keeps a sandbox from run to run in one local file, written when it ends.

The file is only ever read by the sandbox that wrote it: it is a pickle, so never load one that
came from elsewhere. It holds live tokens and is readable by its owner alone.
"""

import os
import pickle
from pathlib import Path
from typing import Any

import msgspec

from sandbox.settings import Settings
from sandbox.world import World


def save(world: World, path: Path) -> None:
    """Write the world to `path`, whole or not at all. Raises OSError."""
    draft = path.with_suffix(path.suffix + ".draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        _GraphPickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(world)
    draft.replace(path)


def load(settings: Settings, path: Path) -> World | None:
    """The world that `path` keeps, or None to start empty.

    None when there is no file, when it was written under other settings, or when it does not
    fit this version of the sandbox.
    """
    try:
        with path.open("rb") as file:
            world = pickle.load(file)  # noqa: S301 - our own file, see above
    except FileNotFoundError:
        return None
    except Exception:  # noqa: BLE001 - whatever an older version's pickle trips over
        return None
    return world if isinstance(world, World) and world.settings == settings else None


class _GraphPickler(pickle.Pickler):
    """Pickles structs that refer to each other in circles, which msgspec alone cannot."""

    def reducer_override(self, obj: Any) -> Any:
        """Make the struct empty first and fill it afterwards."""
        if not isinstance(obj, msgspec.Struct) or type(obj).__struct_config__.frozen:
            return NotImplemented
        fields = {name: getattr(obj, name) for name in obj.__struct_fields__}
        return (_empty, (type(obj),), fields, None, None, _fill)


def _empty(kind: type[msgspec.Struct]) -> msgspec.Struct:
    return kind(**dict.fromkeys(kind.__struct_fields__))


def _fill(struct: msgspec.Struct, fields: dict[str, Any]) -> None:
    if fields.keys() != set(struct.__struct_fields__):
        raise ValueError("written by another version")
    for name, value in fields.items():
        setattr(struct, name, value)
