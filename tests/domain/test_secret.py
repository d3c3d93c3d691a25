import copy
import logging
import pickle
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import Links
from domain.secret import REDACTED, Secret

TEXT = "refresh-token-of-grace"
SECRET = Secret(TEXT)


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>40}",
        f"{SECRET:>40}",
        "%s" % SECRET,  # noqa: UP031 - one of the roads to close
        "{0!s}".format(SECRET),  # noqa: UP030, UP032 - one of the roads to close
        repr([SECRET, {"token": SECRET}, (SECRET,)]),
        repr(Links(cancel=SECRET)),
        str(ValueError(SECRET)),
    ],
)
def test_a_secret_is_never_shown(shown: str) -> None:
    """No way of turning a secret, or what holds it, into text shows its text."""
    assert TEXT not in shown
    assert REDACTED in shown


def test_a_secret_in_a_log_entry_is_redacted() -> None:
    """A log entry made with a secret as its argument does not show it."""
    entry = logging.LogRecord("name", logging.INFO, "path", 1, "token %s", (SECRET,), None)

    assert entry.getMessage() == f"token {REDACTED}"


def test_a_secret_in_a_traceback_is_redacted() -> None:
    """A traceback with its local variables does not show a secret among them."""

    def fail(secret: Secret) -> None:
        raise ValueError(secret)

    with pytest.raises(ValueError, match=r"\[redacted\]") as caught:
        fail(SECRET)

    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert REDACTED in shown
    assert TEXT not in shown


@pytest.mark.parametrize("holder", [SECRET, [SECRET], Links(cancel=SECRET)])
def test_a_secret_cannot_be_encoded(holder: object) -> None:
    """JSON and MessagePack refuse a secret, also as a part of something larger."""
    with pytest.raises(TypeError):
        msgspec.json.encode(holder)
    with pytest.raises(TypeError):
        msgspec.msgpack.encode(holder)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    """A secret does not leave its process by pickling."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(SECRET, protocol)


def test_a_secret_cannot_be_copied() -> None:
    """Copying a secret, or asking for its state, is refused."""
    with pytest.raises(TypeError):
        copy.deepcopy(SECRET)
    with pytest.raises(TypeError, match="copied"):
        SECRET.__getstate__()


def test_a_secret_has_no_attribute_to_look_into() -> None:
    """There is no instance dictionary that a dump of variables would print."""
    with pytest.raises(TypeError):
        vars(SECRET)


@given(st.text(), st.text())
def test_secrets_are_equal_when_their_texts_are(one: str, other: str) -> None:
    """Equality, hash and truth are those of the text."""
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))
    assert bool(Secret(one)) is bool(one)
    assert Secret(one).reveal() == one


def test_a_secret_is_not_its_text() -> None:
    """A secret equals no plain text, so a slip in a comparison fails closed."""
    assert SECRET != TEXT
    assert [SECRET] != [TEXT]
