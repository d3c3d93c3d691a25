import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.keys import decode_key
from adapters.security.vault import KeyRingVault
from domain.errors import SealedValueUnreadable
from domain.secret import Secret
from tests.adapters.sound_environ import KEY_ONE, KEY_TWO

ROW = "integration/1"
ONE = {"k1": Secret(KEY_ONE)}
BOTH = {"k2": Secret(KEY_TWO), "k1": Secret(KEY_ONE)}
vault = KeyRingVault(ONE)


@given(st.text(), st.text(max_size=80))
def test_a_sealed_secret_opens_for_its_row(text: str, row: str) -> None:
    """A sealed value opens unchanged for the row it is bound to."""
    assert Secret(text) == vault.open(vault.seal(Secret(text), row), row)


@given(st.text(min_size=1, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_sealed_secret_opens_for_no_other_row(text: str, row: str, other: str) -> None:
    """A sealed value copied into another row is unreadable there."""
    sealed = vault.seal(Secret(text), f"row/{row}")

    with pytest.raises(SealedValueUnreadable):
        vault.open(sealed, f"other/{other}")


@given(st.data())
def test_a_changed_value_never_opens(data: st.DataObject) -> None:
    """Changing any one character of a sealed value makes it unreadable."""
    sealed = vault.seal(Secret("refresh-token"), ROW)
    position = data.draw(st.integers(0, len(sealed) - 1))
    character = data.draw(st.characters().filter(lambda each: each != sealed[position]))

    with pytest.raises(SealedValueUnreadable):
        vault.open(sealed[:position] + character + sealed[position + 1 :], ROW)


@given(st.text(max_size=200) | st.from_regex(r"\Av1\.k1\.[A-Za-z0-9_-]{0,80}\Z"))
def test_what_was_never_sealed_is_unreadable(text: str) -> None:
    """Any text that did not come from the vault is refused in the same way."""
    with pytest.raises(SealedValueUnreadable):
        vault.open(text, ROW)


def test_a_value_names_its_format_and_its_key() -> None:
    """A sealed text is `v1.<key id>.<base64url>` with the first key's id."""
    sealed = KeyRingVault(BOTH).seal(Secret("text"), ROW)

    form, key_id, payload = sealed.split(".")
    assert (form, key_id) == ("v1", "k2")
    assert len(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) == 12 + 4 + 16
    assert KeyRingVault(BOTH).key_id(sealed) == "k2"


def test_a_sealed_value_is_plain_aes_256_gcm() -> None:
    """The key opens it by the documented format alone: nonce, ciphertext, row as AAD."""
    payload = vault.seal(Secret("text"), ROW).split(".")[2]
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))

    opened = AESGCM(decode_key(KEY_ONE)).decrypt(raw[:12], raw[12:], ROW.encode())

    assert opened == b"text"


def test_the_same_secret_never_seals_to_the_same_text() -> None:
    """Sealed values cannot be compared with each other."""
    assert len({vault.seal(Secret("text"), ROW) for _ in range(200)}) == 200


def test_values_of_an_earlier_key_still_open_after_a_new_one_seals() -> None:
    """Putting a new key first changes what seals and loses nothing."""
    sealed = vault.seal(Secret("text"), ROW)

    assert Secret("text") == KeyRingVault(BOTH).open(sealed, ROW)


def test_a_value_of_a_key_that_was_taken_away_names_that_key() -> None:
    """An operator who removed a key too early reads which one to put back."""
    sealed = KeyRingVault(BOTH).seal(Secret("text"), ROW)

    with pytest.raises(SealedValueUnreadable, match="'k2', which is not in TOKEN_ENCRYPTION_KEYS"):
        vault.open(sealed, ROW)
    assert vault.key_id(sealed) == "k2"


def test_another_key_under_the_same_id_does_not_open() -> None:
    """Reusing a key id for a new key is noticed."""
    sealed = vault.seal(Secret("text"), ROW)

    with pytest.raises(SealedValueUnreadable):
        KeyRingVault({"k1": Secret(KEY_TWO)}).open(sealed, ROW)


def test_the_error_hides_the_value_and_what_lies_beneath() -> None:
    """An unreadable value's error holds neither the value nor the library's exception."""
    sealed = vault.seal(Secret("text"), ROW)

    with pytest.raises(SealedValueUnreadable) as caught:
        vault.open(sealed, "another/row")

    assert sealed.split(".")[2] not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("ring", [{}, {"": Secret(KEY_ONE)}, {"a.b": Secret(KEY_ONE)}])
def test_a_ring_without_keys_or_with_unusable_ids_is_refused(ring: dict[str, Secret]) -> None:
    """A vault is never made of a ring that it could not open its values with."""
    with pytest.raises(ValueError, match="a key ring needs at least one key"):
        KeyRingVault(ring)


@given(st.binary(min_size=32, max_size=32))
def test_a_key_may_be_written_in_either_base64_alphabet_padded_or_not(key: bytes) -> None:
    """The base64 of a key is read in every common form."""
    standard, url_safe = base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()

    assert {decode_key(text) for text in (standard, url_safe, standard.rstrip("="))} == {key}


@given(st.binary(max_size=64).filter(lambda key: len(key) != 32))
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    """Only 32 bytes make an AES-256 key."""
    with pytest.raises(ValueError, match="bytes long, not 32"):
        decode_key(base64.b64encode(key).decode())
