"""Files that hold secrets: only their owner can read them, from their first byte on."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace *path* in one step: a reader sees the old file or the new one, never a part."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    new.replace(path)
