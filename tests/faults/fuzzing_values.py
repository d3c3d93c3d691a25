"""Values that no sane client would send: texts, JSON tokens, bodies broken at any place."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

TEXTS = (
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\U0001f600", "\u202eabc", "\u00e9" * 300,
    "x" * 5_000, "null", "-1", "0", "1e999", "NaN", "9" * 400, "18446744073709551616", "true",
    "%00", "../..", "';--", "{}", "[]", "https://", "//[::1", "http://[", "a@b@c", "@", "[::1",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59Z", "2026-12-02T10:00:00",
    "2026-06-30T23:59:60Z", "2026-12-02T10:00:00+99:99", "20261202", "1764670000",
    "Europe/Zurich\n", "../Europe/Zurich", "Factory", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
TOKENS = (
    b"null", b"true", b"0", b"-0", b"-1", b"1.5", b"1e999", b"-1e999", b"1e-999", b"NaN",
    b"Infinity", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
    b"9" * 5_000, b"{}", b"[]", b"[[]]", b"[null]", b'""', b'"\\u0000"', b'"\\ud800"', b'"\\\\u0000"',
    b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"\0"', b'"\n"',
    b'"\\x"', b'"' + b"x" * 20_000 + b'"', b"[" * 500 + b"]" * 500, b"[" * 50_000,
    b'{"a":' * 900 + b"1" + b"}" * 900, b'{"a":1,"a":2}', b'{"":{"":[{}]}}', b'{"\\u0000":1}', b"",
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp037")
_MARK = "\x1a{}\x1a"

texts = st.sampled_from(TEXTS) | st.text(max_size=20)
moments = st.datetimes().map(lambda each: each.isoformat() + "Z")
tokens = (
    st.sampled_from(TOKENS)
    | texts.map(lambda each: json.dumps(each).encode())
    | (moments | st.integers() | st.floats()).map(lambda each: json.dumps(each).encode())
)


def mostly(
    good: st.SearchStrategy[Any], odd: st.SearchStrategy[Any], times: int = 3
) -> st.SearchStrategy[Any]:
    """Return a strategy that gives the good value so many times for each odd one."""
    return st.integers(0, times).flatmap(lambda at: odd if at == times else good)


@st.composite
def json_like(draw: st.DrawFn, plain: Any) -> bytes:
    """Return a JSON value with some of its parts, at any depth, made anything, broken even."""
    value, replaced = copy.deepcopy(plain), {}
    for number in range(draw(st.sampled_from((0, 1, 1, 1, 2, 3)))):
        where, key = draw(st.sampled_from(list(_places(value))))
        mark = _MARK.format(number)
        where[key] = mark
        replaced[json.dumps(mark).encode()] = draw(tokens)
    raw = json.dumps(value).encode()
    for mark_, token in replaced.items():
        raw = raw.replace(mark_, token)
    return raw


@st.composite
def any_body(draw: st.DrawFn, plain: Any) -> bytes:
    """Return a body: like the plain one, or broken as a whole, or no JSON at all."""
    body = draw(json_like(plain))
    how = draw(st.sampled_from(("as it is",) * 12 + ("cut", "twice", "encoded", "token", "bytes")))
    if how == "cut":
        return body[: draw(st.integers(0, len(body)))]
    if how == "twice":
        return body + body
    if how == "encoded":
        return body.decode("latin-1").encode(draw(st.sampled_from(ENCODINGS)), "replace")
    if how == "token":
        return draw(tokens)
    return draw(st.binary(max_size=60)) if how == "bytes" else body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container within a value, with each of its keys."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
