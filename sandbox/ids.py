"""Ids and credentials.

Seeded accounts keep their ids from start to start. Later objects get a new random id, so that
a restarted sandbox never repeats an event that a client has already stored.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from random import Random

import msgspec

_LETTERS = "ABCDEFGH"
_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=")
_JWT_KEY = secrets.token_bytes(32)


def seeded_uuid(random: Random) -> str:
    """An RFC 4122 version 4 id drawn from `random`."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def fresh_id(style: str = "uuid") -> str:
    """A new id: `uuid`, or `short` for the 16 upper-case letters of older accounts."""
    if style == "short":
        return "".join(secrets.choice(_LETTERS) for _ in range(16))
    return str(uuid.uuid4())


def opaque_token() -> str:
    """64 hex characters, as Calendly's codes and refresh tokens are."""
    return secrets.token_hex(32)


def access_token(user_uuid: str, client_id: str, issued_at: int, expires_at: int) -> str:
    """A long opaque token in the form of Calendly's sample, an HS256 JWT."""
    claims = {
        "iss": "https://auth.calendly.com",
        "iat": issued_at,
        "jti": str(uuid.uuid4()),
        "user_uuid": user_uuid,
        "app_uid": client_id,
        "exp": expires_at,
    }
    body = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
    signed = _HEADER + b"." + body
    mac = base64.urlsafe_b64encode(hmac.digest(_JWT_KEY, signed, hashlib.sha256)).rstrip(b"=")
    return (signed + b"." + mac).decode()
