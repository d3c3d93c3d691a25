import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.caching.etags import etag_of, is_known

TAG = etag_of(b"body")


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_tag_identifies_its_bytes(one: bytes, other: bytes) -> None:
    """The same bytes have the same strong tag, and others another one."""
    assert (etag_of(one) == etag_of(other)) == (one == other)
    assert not etag_of(one).startswith(b"W/")


@pytest.mark.parametrize(
    "header",
    [TAG, b"W/" + TAG, b"*", b" * ", b'"other", ' + TAG, b'W/"other",' + TAG + b', "third"'],
)
def test_a_request_with_the_tag_is_304(header: bytes) -> None:
    """A list with the tag, weak or strong, and `*`, mean that the caller has it (RFC 9110)."""
    assert is_known(TAG, header)


@pytest.mark.parametrize(
    "header",
    [None, b"", b'"other"', TAG.strip(b'"'), b'"*"', b"**", TAG[:-1], b'"a' + TAG.strip(b'"')],
)
def test_a_request_without_the_tag_is_200(header: bytes | None) -> None:
    """Another tag, a tag without its quotes, and an invalid list name no tag."""
    assert not is_known(TAG, header)


def test_a_comma_is_part_of_a_tag() -> None:
    """A tag may contain commas, so a list is not cut at each of them."""
    assert not is_known(TAG, b'"one,' + TAG.strip(b'"') + b'"')


@given(st.binary(max_size=100))
def test_any_header_is_survived(header: bytes) -> None:
    """For any header value, it either names the tag or not."""
    assert is_known(TAG, header) == (TAG in header or header.strip() == b"*")
