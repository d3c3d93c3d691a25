import base64

import pytest

from adapters.security.vault import KeyRingVault
from application.ports.vault import Vault
from domain.errors import SealedValueUnreadable
from domain.secret import Secret
from tests.fakes.vault import FakeVault


def real_vault(byte: bytes) -> KeyRingVault:
    """Return the real vault with one key."""
    return KeyRingVault({"key-1": Secret(base64.b64encode(byte * 32).decode())})


@pytest.fixture(params=["fake", "key ring"])
def sealing(request: pytest.FixtureRequest) -> Vault:
    """The vault under contract."""
    return FakeVault() if request.param == "fake" else real_vault(b"1")


@pytest.mark.parametrize("text", ["", "token", "ä€🦊\x00", "x" * 100_000])
def test_opens(sealing: Vault, text: str) -> None:
    """A value sealed for a row opens for that row, and cannot be read before."""
    sealed = sealing.seal(Secret(text), "row:1")

    assert sealing.open(sealed, "row:1").reveal() == text
    assert "token" not in sealed


def test_bound(sealing: Vault) -> None:
    """A value does not open for another row."""
    sealed = sealing.seal(Secret("token"), "row:1")

    with pytest.raises(SealedValueUnreadable):
        sealing.open(sealed, "row:2")


def test_fresh(sealing: Vault) -> None:
    """Sealing the same secret twice gives two different values."""
    assert sealing.seal(Secret("token"), "row:1") != sealing.seal(Secret("token"), "row:1")


@pytest.mark.parametrize("sealed", ["", "token", "v1.key-9.AAAA", "a.b.c.d"])
def test_not_sealed(sealing: Vault, sealed: str) -> None:
    """An unsealed text, or one under an unknown key, does not open."""
    with pytest.raises(SealedValueUnreadable):
        sealing.open(sealed, "row:1")


def test_tampered(sealing: Vault) -> None:
    """A changed value does not open."""
    sealed = sealing.seal(Secret("token"), "row:1")
    changed = sealed[:-1] + ("A" if sealed[-1] != "A" else "B")

    with pytest.raises(SealedValueUnreadable):
        sealing.open(changed, "row:1")


def test_other_key() -> None:
    """A value sealed under a key that the ring has lost does not open."""
    fake = FakeVault()
    sealed = fake.seal(Secret("token"), "row:1")
    fake.rotate()
    assert fake.open(sealed, "row:1") == Secret("token")
    fake.lose("key-1")

    with pytest.raises(SealedValueUnreadable):
        fake.open(sealed, "row:1")
    with pytest.raises(SealedValueUnreadable):
        real_vault(b"2").open(real_vault(b"1").seal(Secret("token"), "row:1"), "row:1")
