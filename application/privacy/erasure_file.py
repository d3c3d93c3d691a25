"""The file that keeps the records of erasures apart from the database, and its code (RFC 2104).

One JSON document: `content`, and `mac` over the bytes of `content` under the first of its keys. So a
file that was cut, or whose dates were changed, is refused.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.ports.storage.erasure_archive import ErasureRecord, SealedErasureKey
from domain.errors import InvalidInput

FORMAT = 1


class Content(msgspec.Struct, frozen=True):
    """The records, and the sealed keys of their hashes.

    Args:
        format: of this document.
        exported_at: when it was made (UTC).

    """

    format: int
    exported_at: datetime
    keys: Sequence[SealedErasureKey]
    invitees: Sequence[ErasureRecord]
    users: Sequence[ErasureRecord]


class File(msgspec.Struct, frozen=True):
    """The document."""

    mac: bytes
    content: msgspec.Raw


def read(text: bytes) -> tuple[File, Content]:
    """Return a file and its content; the code is not checked here.

    Raises:
        InvalidInput: it is not such a file, or of a later format.

    """
    try:
        file = msgspec.json.decode(text, type=File)
        content = msgspec.json.decode(file.content, type=Content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("This is not a whole file of `slotkeeper erasures export`.") from None
    if content.format != FORMAT:
        raise InvalidInput(
            f"This file has the format {content.format}; this version reads {FORMAT}."
        )
    return file, content
