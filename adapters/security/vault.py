"""The vault: AES-256-GCM under a ring of keys, for secrets at rest.

A sealed text is `v1.<key id>.<base64url of nonce and ciphertext>`. The row it belongs to is
associated data, so a value copied to another row does not open. The nonce is 96 random bits
(NIST SP 800-38D, 8.2.2): change the sealing key before 2^32 values were sealed under it.
"""

import base64
import binascii
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.security.keys import KEY_ID, decode_key
from domain.errors import EncryptionKeyUnknown, SealedValueCorrupt
from domain.secret import Secret

_FORMAT = "v1"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_PARTS = 3


class KeyRingVault:
    """Implements the KeyRing port: seals under the first key, opens under any of the ring.

    Args:
        keys: key id -> base64 of 32 bytes, in order; the first one seals.

    Raises:
        ValueError: no key, an id that is not of letters, digits, `_` and `-`, or a key that is
            not 32 bytes of base64.

    """

    def __init__(self, keys: Mapping[str, Secret]) -> None:
        if not keys or not all(KEY_ID.fullmatch(key_id) for key_id in keys):
            raise ValueError("a key ring needs at least one key, each with an id")
        self._ring = {key_id: AESGCM(decode_key(key.reveal())) for key_id, key in keys.items()}
        self._sealing_id = next(iter(self._ring))

    @property
    def sealing_key_id(self) -> str:
        return self._sealing_id

    def seal(self, secret: Secret, bound_to: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ring[self._sealing_id]
        sealed = cipher.encrypt(nonce, secret.reveal().encode(), bound_to.encode())
        return f"{_FORMAT}.{self._sealing_id}.{_encode(nonce + sealed)}"

    def open(self, sealed: str, bound_to: str) -> Secret:
        key_id, payload = _split(sealed)
        cipher = self._ring.get(key_id)
        if cipher is None:
            raise EncryptionKeyUnknown(
                f"A value was sealed with the key {key_id!r}, which is not in"
                " TOKEN_ENCRYPTION_KEYS. Put that key back, after the current one."
            )
        nonce, ciphertext = payload[:_NONCE_BYTES], payload[_NONCE_BYTES:]
        try:
            return Secret(cipher.decrypt(nonce, ciphertext, bound_to.encode()).decode())
        except (InvalidTag, UnicodeDecodeError):
            raise SealedValueCorrupt(
                f"A value sealed with the key {key_id!r} does not open: it was changed, belongs"
                " to another row, or another key had this id."
            ) from None

    def key_id(self, sealed: str) -> str:
        """Return the id of the key that a text was sealed with, known or not.

        Raises:
            SealedValueCorrupt: the text has not the form of a sealed value.

        """
        return _split(sealed)[0]


def _encode(payload: bytes) -> str:
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def _split(sealed: str) -> tuple[str, bytes]:
    parts = sealed.split(".")
    if len(parts) != _PARTS or parts[0] != _FORMAT or not KEY_ID.fullmatch(parts[1]):
        raise _malformed()
    encoded = parts[2]
    try:
        padded = encoded.encode() + b"=" * (-len(encoded) % 4)
        payload = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _malformed() from None
    # Base64 has several spellings of the same bytes; only the one we write is accepted, so that
    # no changed text ever opens.
    if _encode(payload) != encoded or len(payload) < _NONCE_BYTES + _TAG_BYTES:
        raise _malformed()
    return parts[1], payload


def _malformed() -> SealedValueCorrupt:
    return SealedValueCorrupt("A stored value has not the form of a sealed one.")
