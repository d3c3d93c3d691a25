import re

import pytest

from adapters.system.randomness import SystemRandomness
from application.ports.randomness import Randomness
from tests.fakes.randomness import FakeRandomness


@pytest.fixture(params=["fake", "system"])
def source(request: pytest.FixtureRequest) -> Randomness:
    """The source under contract."""
    return FakeRandomness() if request.param == "fake" else SystemRandomness()


def test_ids(source: Randomness) -> None:
    """Ids are distinct UUIDs of version 7."""
    ids = [source.new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert {each.version for each in ids} == {7}


@pytest.mark.parametrize(("size", "length"), [(16, 22), (32, 43), (48, 64)])
def test_tokens(source: Randomness, size: int, length: int) -> None:
    """A token of n bytes is URL-safe text of that much base64, different every time."""
    one, other = source.token(size), source.token(size)

    assert re.fullmatch(rf"[A-Za-z0-9_-]{{{length}}}", one)
    assert one != other


def test_chance(source: Randomness) -> None:
    """Chance lies in [0, 1)."""
    assert all(0 <= source.fraction() < 1 for _ in range(1000))
