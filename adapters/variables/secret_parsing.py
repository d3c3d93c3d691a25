"""Parsers of secret values. Their errors quote nothing of the value."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from adapters.security.keys import KEY_ID, decode_key
from domain.secret import Secret

_SEPARATORS = re.compile(r"[,\n]")


def secret(at_least: int = 1, different: int = 1) -> Callable[[str], Secret]:
    """Read a secret of at least this many characters, and this many different ones."""

    def parse(value: str) -> Secret:
        if len(value) < at_least:
            raise ValueError(f"is shorter than {at_least} characters")
        if len(set(value)) < different:
            raise ValueError(f"has fewer than {different} different characters")
        return Secret(value)

    return parse


def secrets(value: str) -> tuple[Secret, ...]:
    """Read secrets separated by commas or line ends, in their order."""
    keys = tuple(Secret(part) for part in _parts(value))
    if not keys:
        raise ValueError("holds no key")
    return keys


def postgres_url(value: str) -> Secret:
    """Read PostgreSQL's address, password included; several hosts are separated by commas."""
    try:
        parts = urlsplit(value)
        for host in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port  # raises when the port is not a number
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("does not begin with postgresql://")
    return Secret(value)


def key_ring(value: str) -> Mapping[str, Secret]:
    """Read `id:base64` pairs, in their order; each key is 32 bytes (AES-256)."""
    ring: dict[str, Secret] = {}
    problems: list[str] = []
    for position, part in enumerate(_parts(value), start=1):
        key_id, _, key = (piece.strip() for piece in part.partition(":"))
        problem = _pair_problem(key_id, key, ring)
        if problem:
            problems.append(f"{problem} at position {position}")
        ring[key_id] = Secret(key)
    if not ring and not problems:
        problems.append("holds no key")
    if not problems and len({decode_key(key.reveal()) for key in ring.values()}) < len(ring):
        problems.append("has the same key under two ids")
    if problems:
        raise ValueError(", and ".join(problems))
    return MappingProxyType(ring)


def _pair_problem(key_id: str, key: str, earlier: Mapping[str, Secret]) -> str | None:
    if not key or not KEY_ID.fullmatch(key_id):
        return "has no id:base64 pair"
    if key_id in earlier:
        return "repeats a key id"
    try:
        decode_key(key)
    except ValueError as error:
        return f"has a key that {error}"
    return None


def _parts(value: str) -> list[str]:
    return [part.strip() for part in _SEPARATORS.split(value) if part.strip()]
