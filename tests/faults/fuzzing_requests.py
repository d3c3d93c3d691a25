"""Requests that nobody in their right mind would send, yet that get past the door.

A value is mostly good, so that what is broken elsewhere in the request is reached as well.
"""

import base64
import copy
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

from adapters.web.webhook_door import WEBHOOKS_PATH
from application.ports.clock import Clock
from tests.fakes.calendly import bodies

METHODS = ("get", "post", "put", "patch", "delete")
WAITING = {"refreshIntegration"}
KINDS = (
    "invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted",
    "event_type.created", "event_type.updated", "event_type.deleted",
    "routing_form_submission.created", "contact.created", "INVITEE.CREATED", "",
)  # fmt: skip
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


@dataclass(frozen=True)
class Request:
    """What goes to the application; a header may come twice."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What exists, so that some requests are about something.

    `values` holds good values of parameters by their names.
    """

    signing_key: bytes
    api_key: str
    cron_secret: str
    users: Sequence[str]
    hosts: Sequence[str]
    values: Mapping[str, Sequence[str]]


def mostly(good: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy that gives the good value three times of four."""
    return st.integers(0, 3).flatmap(lambda at: odd if at == 3 else good)


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


@st.composite
def _webhook(draw: st.DrawFn, known: Known, clock: Clock) -> Request:
    body = draw(any_body(_event(draw, known)))
    header = st.lists(st.sampled_from(_parts(known, clock, body)), max_size=4).map(b",".join)
    good = f"t={_stamp(clock)},v1={_digest(known, _stamp(clock), body)}".encode()
    signature = draw(mostly(st.just(good), mostly(st.just(good), header)))
    times = draw(st.sampled_from((1,) * 14 + (0, 2)))
    key = draw(mostly(st.none() | _good("subscription_key", known), texts))
    path = WEBHOOKS_PATH if key is None else f"{WEBHOOKS_PATH}/{_quoted(key)}"
    types = (b"application/json", b"text/plain", b"application/json; charset=utf-16", b"\xff/;")
    headers = (
        (b"content-type", draw(st.sampled_from(types))),
        (b"content-length", str(len(body)).encode()),
        *((b"calendly-webhook-signature", _header_safe(signature)),) * times,
    )
    return Request("POST", path.encode(), headers=headers, body=body)


def good_delivery(known: Known, clock: Clock, number: int) -> Request:
    """Return the delivery of a booking, the next host's each."""
    host = known.hosts[number % len(known.hosts)]
    body = json.dumps(_event_of("invitee.created", host, 1_000 + number)).encode()
    signature = f"t={_stamp(clock)},v1={_digest(known, _stamp(clock), body)}".encode()
    headers = ((b"calendly-webhook-signature", signature),)
    return Request("POST", WEBHOOKS_PATH.encode(), headers=headers, body=body)


def deliveries(known: Known, clock: Clock) -> st.SearchStrategy[Request]:
    """Return deliveries: most of them signed as they must be, over whatever they hold."""
    return _webhook(known, clock)


def operations(document: Mapping[str, Any], known: Known) -> st.SearchStrategy[Request]:
    """Return calls of every operation in an OpenAPI document but one.

    A refresh waits for another one of the same account, in real time; races are a scenario of
    their own.
    """
    found = [
        _call(method, path, operation, known)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and operation["operationId"] not in WAITING
    ]
    return st.one_of(found)


@st.composite
def _call(
    draw: st.DrawFn, method: str, path: str, operation: Mapping[str, Any], known: Known
) -> Request:
    query: list[str] = []
    headers = [(b"host", b"127.0.0.1")]
    cookies: list[str] = []
    own = known.users[-1:] if method == "delete" and "/integration" in path else known.users[:-1]
    for each in operation.get("parameters", ()):
        name, times = each["name"], draw(st.sampled_from((1,) * 9 + (0, 2)))
        good = st.sampled_from(own) if name == "X-User-Id" else _good(name, known)
        if each["in"] == "path":
            path = path.replace(f"{{{name}}}", _quoted(draw(mostly(good, texts))))
        for _ in range(0 if each["in"] == "path" else times):
            value = draw(mostly(good, texts | moments))
            if each["in"] == "query":
                query.append(f"{name}={_quoted(value)}")
            elif each["in"] == "cookie":
                cookies.append(f"{name}={value}")
            else:
                headers.append((name.lower().encode(), _header_safe(_raw(value))))
    headers += draw(_credentials(operation, known))
    if cookies:
        headers.append((b"cookie", _header_safe(_raw("; ".join(cookies)))))
    body = draw(_body_of(operation, known))
    if body is not None:
        types = (b"application/json",) * 6 + (b"", b"text/plain", b"multipart/form-data")
        headers.append((b"content-type", draw(st.sampled_from(types))))
        headers.append((b"content-length", str(len(body)).encode()))
    junk = draw(st.sampled_from(("",) * 9 + ("&%ff=%", "&=&&;", "&a[]=1", "%00", "&limit", "&é")))
    raw_query = ("&".join(query) + junk).encode("latin-1")
    return Request(method.upper(), path.encode(), raw_query, tuple(headers), body or b"")


def _body_of(operation: Mapping[str, Any], known: Known) -> st.SearchStrategy[bytes | None]:
    if "requestBody" not in operation:
        return st.sampled_from((None,) * 9 + (b"{", b"x" * 300))
    content = operation["requestBody"]["content"]["application/json"]
    (example,) = (each["value"] for each in content["examples"].values())
    if "event_type" in example:
        typed = [{**example, "event_type": each} for each in known.values["event_type"]]
        return st.sampled_from(typed).flatmap(any_body)
    return any_body(example)


def _credentials(
    operation: Mapping[str, Any], known: Known
) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    needed = [name for scheme in operation.get("security") or () for name in scheme]
    secret = known.cron_secret if "cron_secret" in needed else known.api_key
    good = f"Bearer {secret}".encode() if needed else b""
    odd = (b"Bearer", b"bearer  " + secret.encode(), b"Basic \xff", b"", b"Bearer \xc3\xa9\xff")
    header = st.sampled_from((good,) * 15 + odd).map(lambda each: [(b"authorization", each)])
    return header | header | header | st.just([(b"authorization", good)])


def _good(name: str, known: Known) -> st.SearchStrategy[str]:
    if name == "cursor":
        return st.sampled_from(known.values[name]) | forged_cursors()
    if name in {"start", "end"}:
        return st.sampled_from(known.values[name]) | moments
    return st.sampled_from(known.values[name]) if name in known.values else texts


@st.composite
def forged_cursors(draw: st.DrawFn) -> str:
    """Return what looks like a cursor from outside."""
    position = ["2026-12-02T10:00:00Z", "00000000-0000-0000-0000-000000000000"]
    raw = draw(json_like(position))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _event(draw: st.DrawFn, known: Known) -> dict[str, Any]:
    kind, host = draw(st.sampled_from(KINDS)), draw(st.sampled_from((*known.hosts, bodies.USER)))
    return _event_of(kind, host, draw(st.integers(0, 999)))


def _event_of(kind: str, host: str, number: int) -> dict[str, Any]:
    uri = f"{bodies.API}/scheduled_events/E{number}"
    about: dict[str, Any] = bodies.payload(
        uri=f"{uri}/invitees/I{number}",
        no_show={"uri": f"{bodies.NO_SHOW}{number}", "created_at": bodies.stamp(bodies.BOOKED_AT)},
        scheduled_event=bodies.event(uri=uri, event_memberships=[{"user": host}]),
    )
    if kind == "invitee.canceled":
        about |= {"status": "canceled", "cancellation": bodies.cancellation()}
    if kind.startswith("event_type"):
        about = bodies.event_type(profile={"owner": host, "type": "User"})
    at = bodies.stamp(bodies.OCCURRED_AT)
    return {"created_at": at, "created_by": host, "event": kind, "payload": about}


def _parts(known: Known, clock: Clock, body: bytes) -> tuple[bytes, ...]:
    now = _stamp(clock)
    good = _digest(known, now, body).encode()
    return (
        b"t=%d" % now, b"v1=" + good, b"t=" + b"9" * 400, b"t=-1", b"t=1e9", b"t=%d.5" % now,
        b" t=%d " % now, b"v1=", b"v1=" + good.upper(), b"v1=" + good[:-1], b"v0=" + good, b"=",
        b"", b"v1", b"t", b"t=\xd9\xa1", b"v1=\xff\xfe", b"v1=\xc3\xa9" + good, b"t==", b"\t",
    )  # fmt: skip


def _stamp(clock: Clock) -> int:
    return int(clock.now().timestamp())


def _digest(known: Known, stamp: int, body: bytes) -> str:
    return hmac.digest(known.signing_key, b"%d." % stamp + body, "sha256").hex()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container within a value, with each of its keys."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _quoted(text: str) -> str:
    """Return a text as it goes into an address; what the hex spells need not be UTF-8."""
    return quote_from_bytes(_raw(text), safe="") if text != "%00" else quote("%") + "00"


def _header_safe(value: bytes) -> bytes:
    """Return what a server lets through to the application."""
    return bytes(each for each in value if each == ord("\t") or 32 <= each != 127).strip()[:8_000]
