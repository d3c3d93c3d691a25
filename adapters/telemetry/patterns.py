"""Which names and which texts are redacted wherever they turn up in a log.

Defence in depth: no code here logs a secret on purpose; this catches what an exception of a
library, or a mistake, carries along.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from domain.secret import REDACTED

# A field is redacted when the last word of its name is one of these …
_SECRET_WORDS = frozenset(
    [
        "token",
        "secret",
        "password",
        "passphrase",
        "passwd",
        "authorization",
        "cookie",
        "credential",
        "signature",
        "body",
        "payload",
        "email",
        "mail",
        "key",
        "jwt",
        "dsn",
        "verifier",
        "challenge",
        "nonce",
        "answer",
        "guest",
        "handle",
    ]
)
# … or when the whole name is one of these. (`error_code` and `status_code` must stay readable.)
_SECRET_NAMES = frozenset(
    {"code", "auth_code", "authorization_code", "state", "database_url", "invitee", "invitee_name"}
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_LONGEST_TEXT = 8_000


class _Rule(NamedTuple):
    """A pattern, looked for only in a text that holds one of these: searching is cheaper."""

    needs: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


# Each pattern is bounded, so that no text takes more than linear time.
_RULES = (
    # PostgreSQL's DETAIL quotes the row that it refused.
    _Rule(
        ("DETAIL:",),
        re.compile(r"DETAIL:[\s\S]*?(?=\n(?:HINT|Traceback|The above|During)|\Z)"),
        f"DETAIL: {REDACTED}",
    ),
    _Rule(
        (" ", "\t"),
        re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"),
        rf"\1 {REDACTED}",
    ),
    _Rule(("sk_",), re.compile(r"\bsk_[\w-]{8,}"), REDACTED),  # our API keys
    _Rule(("eyJ",), re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+){1,4}"), REDACTED),  # JWT (RFC 7519)
    _Rule(
        ("://",),
        re.compile(r"(?i)([a-z][a-z0-9+.-]{0,15}://)[^\s/@]{1,256}@"),
        rf"\1{REDACTED}@",
    ),
    _Rule(
        ("@", "%40"),
        re.compile(r"[\w.+%-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"),
        REDACTED,
    ),
    _Rule(
        ("=", ":", "%3D"),
        re.compile(
            r"(?i)\b((?:access_|refresh_|id_)?token|code|state|client_secret|code_verifier|password"
            r"|api_key|email|signing_key|(?:calendly_)?handle)(=|%3D|[\"']?\s{0,2}:\s{0,2}[\"'])[^\s&\"',;)}]+"
        ),
        rf"\1\2{REDACTED}",
    ),
)
# Calendly's codes and tokens, HMAC-SHA256.
_HEX = re.compile(r"\b[0-9a-f]{64}\b")
_HEX_LENGTH = 64


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name is redacted whatever it holds."""
    words = _CAMEL.sub("_", name).replace("-", "_").lower()
    return words in _SECRET_NAMES or words.rpartition("_")[2].rstrip("s") in _SECRET_WORDS


@lru_cache(maxsize=1024)
def redact_name(name: str) -> str:
    """Return a field's name, redacted like a text; names are few and repeat."""
    return redact_text(name)


def redact_text(text: str) -> str:
    """Return the text without anything that looks like a credential or an e-mail address."""
    if not text.isascii():
        text = text.encode(errors="replace").decode()  # a lone surrogate is not UTF-8
    if len(text) <= _LONGEST_TEXT:
        return _redact(text)
    # Cut once more than needed before, so that no secret is halved at the visible end.
    shown = _redact(text[: 2 * _LONGEST_TEXT])[:_LONGEST_TEXT]
    return f"{shown}… ({len(text)} characters)"


# Every rule needs one of these; most texts of an entry are codes, ids and paths without any.
_SUSPECT = re.compile(r"[\s@=:%]|sk_|eyJ")


def _redact(text: str) -> str:
    if len(text) < _HEX_LENGTH and _SUSPECT.search(text) is None:
        return text
    if len(text) >= _HEX_LENGTH:
        text = _HEX.sub(REDACTED, text)
    for needs, pattern, replacement in _RULES:
        if any(each in text for each in needs):
            text = pattern.sub(replacement, text)
    return text
