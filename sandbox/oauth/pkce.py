"""Proof Key for Code Exchange (RFC 7636)."""

import base64
import hashlib
import hmac


def verifies(verifier: str | None, challenge: str | None, method: str) -> bool:
    """Whether a `code_verifier` answers the challenge of the authorize request.

    Without a challenge there is nothing to prove; with one, a missing verifier fails.
    """
    if challenge is None:
        return True
    if verifier is None:
        return False
    answer = verifier
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        answer = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(answer.encode(), challenge.encode())
