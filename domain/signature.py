"""Verify a webhook's signature over the raw body.

Source: Calendly, "Webhook signatures": header `t=<unix seconds>,v1=<hex>`, where v1 is
HMAC-SHA256 of `t + "." + body` under the signing key. Fails closed on anything unexpected.
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from domain.secret import Secret

DEFAULT_TOLERANCE = timedelta(seconds=180)  # Calendly's own examples use three minutes
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Verdict(StrEnum):
    """The result of a verification; refusals are counted by it."""

    VALID = "valid"
    MISSING = "missing"
    MALFORMED = "malformed"
    STALE = "stale"
    MISMATCH = "mismatch"


REFUSALS = {
    Verdict.MISSING: "The delivery has no Calendly-Webhook-Signature header.",
    Verdict.MALFORMED: "The Calendly-Webhook-Signature is not of the form t=<seconds>,v1=<hex>.",
    Verdict.STALE: "The Calendly-Webhook-Signature was made too long ago, or in the future.",
    Verdict.MISMATCH: "The Calendly-Webhook-Signature does not belong to this body and key.",
}
"""The message to a sender whose signature is refused."""


def verify(
    body: bytes,
    header: str | None,
    keys: Sequence[Secret],
    now: datetime,
    tolerance: timedelta = DEFAULT_TOLERANCE,
    *,
    spare: Iterable[Secret] = (),
) -> Verdict:
    """Verify the signature of a delivery.

    Args:
        body: the raw bytes as they arrived, before any decoding.
        header: `Calendly-Webhook-Signature`, or None when absent.
        keys: signing keys to try, the current one first; without keys the result is MISMATCH.
        now: the time of arrival (UTC).
        tolerance: how far `t` may lie from `now`, in either direction.
        spare: further keys, tried only if none of `keys` matches; a generator computes them then.

    """
    if header is None or not header.strip():
        return Verdict.MISSING
    parts = _parts(header)
    if parts is None:
        return Verdict.MALFORMED
    timestamp, digest = parts
    signed = timestamp.encode() + b"." + body
    if not _is_genuine(signed, digest, keys) and not _is_genuine(signed, digest, spare):
        return Verdict.MISMATCH
    apart = abs(now.timestamp() - int(timestamp))
    return Verdict.STALE if apart > tolerance.total_seconds() else Verdict.VALID


def _is_genuine(signed: bytes, digest: str, keys: Iterable[Secret]) -> bool:
    genuine = False
    for key in keys:
        # Every key is tried, also after a match, so that the time reveals nothing about the keys.
        expected = hmac.digest(key.reveal().encode(), signed, "sha256").hex()
        # Any sender can sign with an empty key, so a match of a blank key does not count.
        genuine |= hmac.compare_digest(expected, digest) and bool(key)
    return genuine


def _parts(header: str) -> tuple[str, str] | None:
    """Return (t, v1), or None unless each occurs exactly once and is well formed."""
    values: dict[str, str] = {}
    for part in header.split(","):
        name, separator, value = part.strip().partition("=")
        if name not in {"t", "v1"}:
            continue
        if not separator or name in values:
            return None
        values[name] = value.strip()
    timestamp, digest = values.get("t", ""), values.get("v1", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _DIGEST.fullmatch(digest):
        return None
    return timestamp, digest
