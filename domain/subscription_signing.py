"""The signing key of one webhook subscription: derived from a configured one, stored nowhere.

Calendly takes a `signing_key` for a subscription, and does not say whether it signs with that or
with the app's where an OAuth app subscribes (Calendly: create webhook subscription). The rule not
to break: what is derived here never changes, or deliveries of living subscriptions are refused.
"""

import hmac
from collections.abc import Iterator, Sequence
from typing import Final

from domain.secret import Secret

# No text that Calendly signs begins so: those begin with a time in digits.
_PURPOSE: Final = b"slotkeeper webhook subscription\0"
_TAG: Final = b"slotkeeper webhook signing key\0"
_TAG_LENGTH: Final = 4
_MARK: Final = "."


def own_signing_key(configured: Secret, subscription_key: str) -> Secret:
    """Return the key of the subscription whose callback URL ends in `subscription_key`.

    HMAC-SHA256 of a purpose and the URL's last part, in hexadecimal (RFC 2104).
    """
    told = _PURPOSE + subscription_key.encode("utf-8", "surrogatepass")
    return Secret(hmac.digest(configured.reveal().encode(), told, "sha256").hex())


def own_signing_keys(configured: Sequence[Secret], subscription_key: str) -> Iterator[Secret]:
    """Yield the subscription's key under each configured one, for whoever gets that far.

    None under a blank one, which anybody could derive from.
    """
    return (own_signing_key(each, subscription_key) for each in configured if each)


def marked(token: str, configured: Secret) -> str:
    """Return a callback URL's random part with a mark of the key that its own one comes from.

    Sixteen bits: enough to see that the configured key was changed, too few to learn it.
    """
    return f"{token}{_MARK}{_mark_of(configured)}"


def is_marked_otherwise(subscription_key: str, configured: Secret) -> bool:
    """Whether its own key comes from another configured one; False where it has none of its own."""
    _, mark, tag = subscription_key.partition(_MARK)
    return bool(mark) and tag != _mark_of(configured)


def _mark_of(configured: Secret) -> str:
    return hmac.digest(configured.reveal().encode(), _TAG, "sha256").hex()[:_TAG_LENGTH]
