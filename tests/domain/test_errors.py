import re

import pytest

from domain import errors
from domain.errors import (
    CalendlyThrottled,
    Kind,
    ReauthRequired,
    ScopeMissing,
    ScopesDeclined,
    SignatureRejected,
    SlotkeeperError,
)

LINE = re.compile(r"^    (?P<depth>(?:[│ ] {3})*)(?:[├└]── )?(?P<name>[A-Z]\w+)(?P<rest>.*)$")
KIND = re.compile(r"transient|throttled|permanent|needs person")


def tree(root: type[SlotkeeperError]) -> list[type[SlotkeeperError]]:
    """Return a class and all below it that the domain defines."""
    own = [each for each in root.__subclasses__() if each.__module__.startswith("domain.")]
    return [root, *(below for child in own for below in tree(child))]


ALL = tree(SlotkeeperError)


def drawn() -> list[tuple[str, str | None, str | None]]:
    """Return (class, parent, kind) as the module's docstring draws them."""
    found: list[tuple[str, str | None, str | None]] = []
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        is_root = not found
        depth = 0 if is_root else len(match["depth"]) // 4 + 1
        path[depth:] = [match["name"]]
        kind = KIND.search(match["rest"])
        found.append((match["name"], None if is_root else path[depth - 1], kind and kind[0]))
    return found


def test_the_drawn_tree_is_the_real_one() -> None:
    """The tree in the docstring names every error under its parent, and no other."""
    real = {
        (each.__name__, None if each is SlotkeeperError else each.__bases__[0].__name__)
        for each in ALL
    }

    assert real == {(name, parent) for name, parent, _ in drawn()}
    assert len(drawn()) == len(ALL)


def test_the_drawn_kinds_are_the_real_ones() -> None:
    """Wherever the docstring states a kind, the class has it."""
    stated = {name: kind.replace(" ", "_") for name, _, kind in drawn() if kind}

    assert len(stated) >= 20
    for name, kind in stated.items():
        assert (name, getattr(errors, name).kind.value) == (name, kind)


def test_an_error_without_a_stated_kind_has_its_parents() -> None:
    """Where the docstring leaves the kind out, it is the parent's, apart from a stated exception."""
    for name, parent, kind in drawn():
        if kind is None and parent is not None and name != "DisconnectInProgress":
            own, above = getattr(errors, name), getattr(errors, parent)
            assert (name, own.kind) == (name, above.kind)


def test_codes_are_unique_and_each_class_has_its_own() -> None:
    """Programs can distinguish all errors by their code."""
    codes = [each.__dict__.get("code") for each in ALL]

    assert None not in codes
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z][a-z_]+", str(code)) for code in codes)


@pytest.mark.parametrize("error", ALL)
def test_every_error_says_what_may_be_done(error: type[SlotkeeperError]) -> None:
    """Every error has a kind and a docstring of its own."""
    assert isinstance(error.kind, Kind)
    assert error.__dict__.get("__doc__")


def test_an_error_carries_its_message_and_its_wait() -> None:
    """The message is what is printed, and the wait is in seconds."""
    error = CalendlyThrottled("Calendly answered 429.", retry_after=12.5)

    assert str(error) == error.message == "Calendly answered 429."
    assert error.retry_after == 12.5
    assert SlotkeeperError("Something.").retry_after is None


def test_errors_with_a_particular_carry_it() -> None:
    """Data that a program needs beyond the code is a field, not a part of the message."""
    assert SignatureRejected("No.", reason="stale").reason == "stale"
    assert ScopesDeclined("No.", missing=("users:read",)).missing == ("users:read",)
    assert ReauthRequired("No.", cause="grant_refused").cause == "grant_refused"
    assert ScopeMissing("No.", required=("users:read",)).required == ("users:read",)
    assert ScopeMissing("No.").required == ()
