"""The body of an answer, decompressed and bounded.

The rule not to break: no answer occupies more memory than its bound, whatever it expands to. So
compressed data is expanded in pieces, and the bytes are counted after that.
"""

import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import Final

import httpx

MOST_BYTES: Final = 8 * 1024 * 1024
"""The longest body that is read, in decompressed bytes; a page of Calendly's is below 1 MB."""

ACCEPTED_ENCODING: Final = "gzip"
"""The only compression that requests allow (RFC 9110, 12.5.3)."""

_PIECE = 64 * 1024
_GZIP = zlib.MAX_WBITS | 16


class AnswerTooLarge(httpx.RequestError):
    """A body goes on beyond its bound; the rest is not read."""


class BoundedBody(httpx.AsyncByteStream):
    """A body as decompressed pieces, until it ends or exceeds its bound.

    Args:
        response: the answer, whose body is not read yet. Its stream is read from here on.
        most: the bound in decompressed bytes.

    Raises, while it is read:
        AnswerTooLarge: the body is longer.
        httpx.DecodingError: the body is not what its Content-Encoding says.

    """

    def __init__(self, response: httpx.Response, most: int) -> None:
        self._stream = response.stream
        self._decoded = _decoder(response.headers.get("content-encoding", ""))
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not isinstance(self._stream, AsyncIterable):
            raise TypeError("the body of an answer is read asynchronously")
        length = 0
        async for part in self._stream:
            for piece in self._decoded(part):
                length += len(piece)
                if length > self._most:
                    raise AnswerTooLarge(f"the answer exceeds {self._most} bytes")
                yield piece

    async def aclose(self) -> None:
        if isinstance(self._stream, httpx.AsyncByteStream):
            await self._stream.aclose()


def bound(response: httpx.Response, most: int = MOST_BYTES) -> None:
    """Replace the unread body of an answer by a bounded one, without compression."""
    response.stream = BoundedBody(response, most)
    if "content-encoding" in response.headers:
        del response.headers["content-encoding"]


def _decoder(encoding: str) -> Callable[[bytes], Iterator[bytes]]:
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return _plain
    if name in {"gzip", "x-gzip"}:
        return _gunzip(zlib.decompressobj(_GZIP))
    return _refuse


def _plain(part: bytes) -> Iterator[bytes]:
    yield part


def _gunzip(expanding: "zlib._Decompress") -> Callable[[bytes], Iterator[bytes]]:
    def pieces(part: bytes) -> Iterator[bytes]:
        while part and not expanding.eof:
            try:
                yield expanding.decompress(part, _PIECE)
            except zlib.error:
                raise httpx.DecodingError("the answer is not gzip") from None
            part = expanding.unconsumed_tail

    return pieces


def _refuse(_part: bytes) -> Iterator[bytes]:
    raise httpx.DecodingError("the answer has a compression that was not asked for")
