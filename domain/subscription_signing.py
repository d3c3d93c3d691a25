"""The signing key of one webhook subscription: derived from a configured one, stored nowhere.

Calendly accepts a `signing_key` for a subscription. Its documentation does not say whether it signs
an OAuth app's deliveries with this key or with the app's (Calendly: create webhook subscription).
The derivation must never change, or deliveries of existing subscriptions are refused.
"""

import hmac
from collections.abc import Iterator, Sequence
from typing import Final

from domain.secret import Secret

# Calendly signs no text with this beginning: its texts begin with a time in digits.
_PURPOSE: Final = b"slotkeeper webhook subscription\0"
_TAG: Final = b"slotkeeper webhook signing key\0"
_TAG_LENGTH: Final = 4
_MARK: Final = "."


def own_signing_key(configured: Secret, subscription_key: str) -> Secret:
    """Return the key of the subscription whose callback URL ends in `subscription_key`.

    HMAC-SHA256 of a purpose and the URL's last part, in hexadecimal (RFC 2104).
    """
    message = _PURPOSE + subscription_key.encode("utf-8", "surrogatepass")
    return Secret(hmac.digest(configured.reveal().encode(), message, "sha256").hex())


def own_signing_keys(configured: Sequence[Secret], subscription_key: str) -> Iterator[Secret]:
    """Yield the subscription's key for each configured one, computed only when it is read.

    A blank configured key yields none, because any sender could derive the same.
    """
    return (own_signing_key(each, subscription_key) for each in configured if each)


def marked(token: str, configured: Secret) -> str:
    """Return a callback URL's random part with a mark of the configured key.

    The mark has sixteen bits: enough to see that the key changed, too few to learn it.
    """
    return f"{token}{_MARK}{_mark_of(configured)}"


def is_marked_otherwise(subscription_key: str, configured: Secret) -> bool:
    """Whether the subscription's key is derived from another configured key.

    False if it has no key of its own.
    """
    _, mark, tag = subscription_key.partition(_MARK)
    return bool(mark) and tag != _mark_of(configured)


def _mark_of(configured: Secret) -> str:
    return hmac.digest(configured.reveal().encode(), _TAG, "sha256").hex()[:_TAG_LENGTH]
