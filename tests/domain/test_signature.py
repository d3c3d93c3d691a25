import hmac
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.secret import Secret
from domain.signature import DEFAULT_TOLERANCE, Verdict, verify
from tests.domain.samples import NOW, seconds

KEY = Secret("signing-key")
OLDER = Secret("previous-key")
BODY = b'{"event": "invitee.created", "name": "Zo\xc3\xab"}'
SENT = int(NOW.timestamp())


def digest(body: bytes = BODY, key: Secret = KEY, timestamp: int | str = SENT) -> str:
    """Return v1 as Calendly documents it."""
    signed = f"{timestamp}.".encode() + body
    return hmac.new(key.reveal().encode(), signed, "sha256").hexdigest()


def header(body: bytes = BODY, key: Secret = KEY, timestamp: int | str = SENT) -> str:
    """Return the header of a genuine delivery."""
    return f"t={timestamp},v1={digest(body, key, timestamp)}"


def judged(text: str | None, body: bytes = BODY, keys: Sequence[Secret] = (KEY,)) -> Verdict:
    """Return what a delivery that arrives now turns out to be."""
    return verify(body, text, keys, NOW)


def test_the_digest_is_the_documented_one() -> None:
    """A signature computed elsewhere, over `t.body` with HMAC-SHA256, is accepted."""
    # printf '1795338000.{}' | openssl dgst -sha256 -hmac key
    known = "1bcee6981e283d5e7b0eea7318cdeeed5b58dea6b2998f1a80a858698dcc5ace"

    assert verify(b"{}", f"t={SENT},v1={known}", [Secret("key")], NOW) is Verdict.VALID


def test_a_genuine_delivery_is_valid() -> None:
    """A delivery signed with our key a moment ago is accepted, also with bytes beyond ASCII."""
    assert judged(header()) is Verdict.VALID


@given(st.binary(max_size=60), st.text(min_size=1, max_size=20))
def test_any_signed_body_is_valid(body: bytes, key: str) -> None:
    """For any body and key, the signature made with them is accepted."""
    secret = Secret(key)

    assert judged(header(body, secret), body, [secret]) is Verdict.VALID


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_changed_body_is_refused(position: int, difference: int) -> None:
    """Changing any byte of the body breaks the signature."""
    changed = bytearray(BODY)
    changed[position] ^= difference

    assert judged(header(), bytes(changed)) is Verdict.MISMATCH


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_a_changed_digest_is_refused(position: int, digit: str) -> None:
    """Changing any digit of the digest breaks the signature."""
    genuine = digest()
    changed = genuine[:position] + digit + genuine[position + 1 :]

    expected = Verdict.VALID if changed == genuine else Verdict.MISMATCH
    assert judged(f"t={SENT},v1={changed}") is expected


def test_a_changed_time_is_refused() -> None:
    """The time is signed too, so a captured delivery cannot be made young again."""
    assert judged(f"t={SENT + 1},v1={digest()}") is Verdict.MISMATCH


@pytest.mark.parametrize(
    ("late", "verdict"),
    [
        (0, Verdict.VALID),
        (180, Verdict.VALID),
        (181, Verdict.STALE),
        (-180, Verdict.VALID),
        (-181, Verdict.STALE),
    ],
)
def test_a_delivery_from_another_time_is_stale(late: int, verdict: Verdict) -> None:
    """Three minutes either way are tolerated, and not a second more."""
    arrived = NOW + seconds(late)

    assert verify(BODY, header(), [KEY], arrived) is verdict


def test_the_tolerance_can_be_set() -> None:
    """An operator may allow more or less than three minutes."""
    arrived = NOW + timedelta(minutes=5)

    assert timedelta(minutes=3) == DEFAULT_TOLERANCE
    assert verify(BODY, header(), [KEY], arrived, timedelta(minutes=5)) is Verdict.VALID
    assert verify(BODY, header(), [KEY], arrived, timedelta(minutes=4)) is Verdict.STALE


def test_a_forged_delivery_is_a_mismatch_even_when_it_is_old() -> None:
    """Only a genuine signature is counted as stale, so that clock errors are visible."""
    old = header(key=Secret("wrong"), timestamp=SENT - 9999)

    assert judged(old) is Verdict.MISMATCH


@pytest.mark.parametrize("text", [None, "", "   "])
def test_a_delivery_without_a_signature_is_refused(text: str | None) -> None:
    """An absent or blank header is never accepted."""
    assert judged(text) is Verdict.MISSING


@pytest.mark.parametrize(
    "text",
    [
        f"v1={digest()},t={SENT}",
        f" t={SENT} , v1={digest()} ",
        f"t= {SENT},v1= {digest()}",
        f"v2=later,t={SENT},v1={digest()},v0=",
        f"t={SENT},v1={digest()},",
    ],
    ids=["other order", "spaces", "spaces after equals", "unknown parts", "trailing comma"],
)
def test_parts_are_found_by_their_name(text: str) -> None:
    """Order and spacing of the parts do not matter, nor do parts that we do not know."""
    assert judged(text) is Verdict.VALID


@pytest.mark.parametrize(
    "text",
    [
        f"t={SENT}",
        f"v1={digest()}",
        f"t={SENT},t={SENT},v1={digest()}",
        f"t={SENT},v1={digest()},v1={digest()}",
        f"t,v1={digest()}",
        f"t={SENT},v1",
        f"t=,v1={digest()}",
        f"t={SENT},v1=",
        f"t={SENT},v1={digest().upper()}",
        f"t={SENT},v1={digest()[:-1]}",
        f"t={SENT},v1={digest()}0",
        f"t=-{SENT},v1={digest()}",
        f"t={SENT}.0,v1={digest()}",
        f"t={'9' * 13},v1={digest(timestamp='9' * 13)}",
        "t=١٧٩٥,v1=" + digest(timestamp="١٧٩٥"),
        f"t={SENT},v1={'é' * 64}",
        f"t={SENT};v1={digest()}",
        "sha256=" + digest(),
    ],
)
def test_a_malformed_signature_is_refused(text: str) -> None:
    """Anything but one decimal time and one digest of 64 lower-case digits is refused."""
    assert judged(text) is Verdict.MALFORMED


@pytest.mark.parametrize("keys", [(KEY, OLDER), (OLDER, KEY), (OLDER, Secret("x"), KEY)])
def test_any_of_several_keys_will_do(keys: tuple[Secret, ...]) -> None:
    """While a key is being changed, deliveries under the old and the new one are accepted."""
    assert judged(header(), keys=keys) is Verdict.VALID


def test_a_key_we_do_not_hold_is_a_mismatch() -> None:
    """A delivery signed with another key than ours is refused."""
    assert judged(header(key=Secret("theirs")), keys=(KEY, OLDER)) is Verdict.MISMATCH


def test_without_keys_nothing_is_valid() -> None:
    """Where no key is configured every delivery is refused."""
    assert judged(header(), keys=()) is Verdict.MISMATCH


def test_a_blank_key_accepts_no_signature() -> None:
    """A blank key accepts no signature, because any sender could make it."""
    blank = Secret("")

    assert judged(header(key=blank), keys=(blank,)) is Verdict.MISMATCH
    assert judged(header(), keys=(blank, KEY)) is Verdict.VALID


@given(st.text(max_size=120), st.binary(max_size=30))
@example("t=1,v1=\ud800", b"")
@example("=,=,=", b"")
def test_no_header_makes_it_raise_or_pass(text: str, body: bytes) -> None:
    """Arbitrary text is judged without an error and never accepted."""
    assert judged(text, body) in {Verdict.MISSING, Verdict.MALFORMED, Verdict.MISMATCH}


@given(st.from_regex(r"t=[0-9]{1,14},v1=[0-9a-fA-F]{60,66}", fullmatch=True), st.binary())
def test_a_likely_header_makes_it_neither_raise_nor_pass(text: str, body: bytes) -> None:
    """Text that looks like a signature is judged without an error and never accepted."""
    assert judged(text, body) in {Verdict.MALFORMED, Verdict.MISMATCH}
