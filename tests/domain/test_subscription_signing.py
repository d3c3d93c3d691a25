import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.secret import Secret
from domain.signature import Verdict, verify
from domain.subscription_signing import (
    is_marked_otherwise,
    marked,
    own_signing_key,
    own_signing_keys,
)
from tests.domain.samples import NOW

KEY, OLDER = Secret("signing-key"), Secret("previous-key")
PATH_KEY = "0190c5a0b9b97c3e8f0a1b2c3d4e5f60-token"


def signed(body: bytes, key: Secret) -> str:
    """Return the header of a delivery that is made now."""
    stamp = int(NOW.timestamp())
    digest = hmac.digest(key.reveal().encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return f"t={stamp},v1={digest}"


def test_the_derivation_is_the_written_one() -> None:
    """A key that was computed elsewhere is the one that is derived, or subscriptions would die."""
    # printf 'slotkeeper webhook subscription\0%s' $PATH_KEY | openssl dgst -sha256 -hmac key
    known = "ec2b6631ea253dd416339705949d71ad1f85f6c79b16f181b7195913741d6c56"

    assert own_signing_key(Secret("key"), PATH_KEY) == Secret(known)


@given(st.text(max_size=60), st.text(max_size=60))
def test_each_address_has_its_own(one: str, other: str) -> None:
    """Two addresses have one key only if they are the same, and it is never the configured one."""
    keys = own_signing_key(KEY, one), own_signing_key(KEY, other)

    assert (keys[0] == keys[1]) is (one == other)
    assert KEY not in keys


def test_a_key_is_derived_from_each_configured_one() -> None:
    """While the configured key changes, both of an address's keys hold, the newest first."""
    derived = list(own_signing_keys([KEY, OLDER], PATH_KEY))

    assert derived == [own_signing_key(KEY, PATH_KEY), own_signing_key(OLDER, PATH_KEY)]


def test_nothing_is_derived_from_a_blank_key() -> None:
    """A key that any sender could derive is not used."""
    assert list(own_signing_keys([Secret("")], PATH_KEY)) == []


@pytest.mark.parametrize("key", [KEY, OLDER])
def test_a_delivery_under_its_own_key_is_valid(key: Secret) -> None:
    """A delivery that Calendly signed with the subscription's own key is genuine."""
    header = signed(b"{}", own_signing_key(key, PATH_KEY))
    spare = own_signing_keys([KEY, OLDER], PATH_KEY)

    assert verify(b"{}", header, [KEY, OLDER], NOW, spare=spare) is Verdict.VALID


def test_another_addresss_key_is_refused() -> None:
    """The key of one subscription opens no other's address."""
    header = signed(b"{}", own_signing_key(KEY, "another"))

    found = verify(b"{}", header, [KEY], NOW, spare=own_signing_keys([KEY], PATH_KEY))

    assert found is Verdict.MISMATCH


def test_nothing_is_derived_for_a_delivery_under_the_configured_key() -> None:
    """A delivery under the configured key costs no derivation."""
    spare = own_signing_keys([KEY], PATH_KEY)

    verify(b"{}", signed(b"{}", KEY), [KEY], NOW, spare=spare)

    assert len(list(spare)) == 1


def test_a_mark_tells_keys_apart() -> None:
    """An address says whether its key comes from this configured one; an old one says nothing."""
    token = marked("token", KEY)

    assert not is_marked_otherwise(token, KEY)
    assert is_marked_otherwise(token, OLDER)
    assert not is_marked_otherwise("token", KEY)
    assert KEY.reveal() not in token
