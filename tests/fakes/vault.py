"""A vault that is honest about keys and binding, and needs no cryptography."""

import base64
import hashlib

from domain.errors import EncryptionKeyUnknown, SealedValueCorrupt
from domain.secret import Secret


class FakeVault:
    """Implements the KeyRing port: a value opens for its row only, and only with its key.

    `rotate` makes a new sealing key; `lose` takes an old one away. No two sealings of one
    secret look alike, and the secret is not readable in them.
    """

    def __init__(self) -> None:
        self._keys = ["key-1"]
        self._made = 1
        self._sealed = 0

    def seal(self, secret: Secret, bound_to: str) -> str:
        self._sealed += 1
        payload = base64.urlsafe_b64encode(secret.reveal().encode()).decode()
        key = self.sealing_key_id
        return f"fake.{key}.{self._sealed}.{payload}.{_proof(key, payload, bound_to)}"

    def open(self, sealed: str, bound_to: str) -> Secret:
        key, payload, proof = _split(sealed)
        if key not in self._keys:
            raise EncryptionKeyUnknown(f"A value was sealed with the key {key!r}, which is lost.")
        if proof != _proof(key, payload, bound_to):
            raise SealedValueCorrupt("A sealed value does not open.")
        return Secret(base64.urlsafe_b64decode(payload).decode())

    @property
    def sealing_key_id(self) -> str:
        return self._keys[-1]

    def key_id(self, sealed: str) -> str:
        return _split(sealed)[0]

    def rotate(self) -> str:
        self._made += 1
        self._keys.append(f"key-{self._made}")
        return self._keys[-1]

    def lose(self, key: str) -> None:
        self._keys.remove(key)

    def regain(self, key: str) -> None:
        self._keys.insert(0, key)


def _split(sealed: str) -> tuple[str, str, str]:
    match sealed.split("."):
        case ["fake", key, _, payload, proof]:
            return key, payload, proof
    raise SealedValueCorrupt("A stored value has not the form of a sealed one.")


def _proof(key: str, payload: str, bound_to: str) -> str:
    return hashlib.sha256(f"{key} {payload} {bound_to}".encode()).hexdigest()[:16]
