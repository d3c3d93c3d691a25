"""The reader of the pages itself: a check that finds nothing has to be able to find something."""

import pytest

from tests.docs.curl import request_of
from tests.docs.shown import missing


def test_a_page_may_leave_out_and_never_invent() -> None:
    """The response must have all that a page shows; it may have more."""
    seen = {"id": "1", "status": "booked", "items": [{"name": "Ada", "seats": 1}], "next": None}

    assert missing({"status": "booked", "items": [{"name": "Iris"}], "next": None}, seen) == []
    assert missing({"state": "booked"}, seen) == [".state: is not there"]
    assert missing({"status": "canceled"}, seen) == [".status: 'booked' instead of 'canceled'"]
    assert missing({"items": [{"seats": "one"}]}, seen) != []
    assert missing({"id": None}, seen) == [".id: '1' instead of null"]


def test_a_command_is_read_as_curl_reads_it() -> None:
    """Method, headers, body and query are what curl would send."""
    post = request_of(
        'curl "$A/x" \\\n  -H "K: $V" -d "{\\"a\\": 1}"', {"A": "http://h", "V": "v"}
    )
    get = request_of('curl -G "$A" -d "a=1" --data-urlencode "b=+"', {"A": "http://h/"})

    assert (post.method, str(post.url), post.headers["K"]) == ("POST", "http://h/x", "v")
    assert post.content == b'{"a": 1}'
    assert (get.method, str(get.url)) == ("GET", "http://h/?a=1&b=%2B")


def test_a_variable_that_the_page_does_not_set_is_an_error() -> None:
    """A reader would be left without it."""
    with pytest.raises(KeyError):
        request_of('curl "$NOWHERE"', {})
