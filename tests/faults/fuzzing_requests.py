"""Requests that no sane client would send, yet that pass the first checks of the edge.

A value is mostly good, so that what is broken elsewhere in the request is reached as well.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

from adapters.web.middleware.webhook_fast_path import WEBHOOKS_PATH
from application.ports.clock import Clock
from tests.fakes.calendly import bodies
from tests.faults.fuzzing_values import any_body, json_like, moments, mostly, texts

METHODS = ("get", "post", "put", "patch", "delete")
KINDS = (
    "invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted",
    "event_type.created", "event_type.updated", "event_type.deleted",
    "routing_form_submission.created", "contact.created", "INVITEE.CREATED", "",
)  # fmt: skip
_DELIVERY, _FAVOURED = "delivery", 5


@dataclass(frozen=True)
class Request:
    """A request to the application; a header may occur twice.

    `of` is the id of the operation that it is made for.
    """

    of: str
    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Known:
    """Rows that exist, so that some requests find something.

    `values` holds good values of parameters by their names.
    """

    signing_key: bytes
    api_key: str
    cron_secret: str
    users: Sequence[str]
    hosts: Sequence[str]
    values: Mapping[str, Sequence[str]]


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
    return Request(_DELIVERY, "POST", path.encode(), headers=headers, body=body)


def good_delivery(known: Known, clock: Clock, number: int) -> Request:
    """Return the delivery of a booking, the next host's each."""
    host = known.hosts[number % len(known.hosts)]
    body = json.dumps(_event_of("invitee.created", host, 1_000 + number)).encode()
    signature = f"t={_stamp(clock)},v1={_digest(known, _stamp(clock), body)}".encode()
    headers = ((b"calendly-webhook-signature", signature),)
    return Request(_DELIVERY, "POST", WEBHOOKS_PATH.encode(), headers=headers, body=body)


def deliveries(known: Known, clock: Clock) -> st.SearchStrategy[Request]:
    """Return deliveries: most of them signed as they must be, over whatever they hold."""
    return _webhook(known, clock)


def operations(document: Mapping[str, Any], known: Known) -> st.SearchStrategy[Request]:
    """Return calls of every operation in an OpenAPI document."""
    found = [
        _call(method, path, operation, known)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]
    return st.one_of(found)


@st.composite
def _call(
    draw: st.DrawFn, method: str, path: str, operation: Mapping[str, Any], known: Known
) -> Request:
    query: list[str] = []
    headers = [(b"host", b"127.0.0.1")]
    cookies: list[str] = []
    # All known rows belong to the first user.
    own = (
        list(known.users[-1:])
        if method == "delete" and "/integration" in path
        else [known.users[0]] * _FAVOURED + list(known.users[1:-1])
    )
    for each in operation.get("parameters", ()):
        name = each["name"]
        times = draw(st.sampled_from((1,) * 9 + ((0, 2) if each.get("required") else (0,) * 9)))
        good = st.sampled_from(own) if name == "X-User-Id" else _good(name, known)
        if each["in"] == "path":
            path = path.replace(f"{{{name}}}", _quoted(draw(mostly(good, texts, 9))))
        for _ in range(0 if each["in"] == "path" else times):
            value = draw(mostly(good, texts | moments, 9))
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
    junk = draw(st.sampled_from(("",) * 40 + ("&%ff=%", "&=&&;", "&a[]=1", "%00", "&limit", "&é")))
    raw_query = ("&".join(query) + junk).encode("latin-1")
    about = operation["operationId"]
    return Request(about, method.upper(), path.encode(), raw_query, tuple(headers), body or b"")


def _body_of(operation: Mapping[str, Any], known: Known) -> st.SearchStrategy[bytes | None]:
    if "requestBody" not in operation:
        return st.sampled_from((None,) * 9 + (b"{", b"x" * 300))
    content = operation["requestBody"]["content"]["application/json"]
    (example,) = (each["value"] for each in content["examples"].values())
    if "event_type" in example:
        fitting = {**example, "answers": [], "location": None}
        typed = [
            {**fitting, "event_type": known.values["event_type"][0], "start": start}
            for start in known.values["slot"]
        ]
        return st.sampled_from(typed).flatmap(any_body)
    return any_body(example)


def _credentials(
    operation: Mapping[str, Any], known: Known
) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    needed = [name for scheme in operation.get("security") or () for name in scheme]
    if not needed:
        return st.just([])
    secret = known.cron_secret if "cron_secret" in needed else known.api_key
    good = f"Bearer {secret}".encode()
    odd = (b"Bearer", b"bearer  " + secret.encode(), b"Basic \xff", b"", b"Bearer \xc3\xa9\xff")
    header = st.sampled_from((good,) * 15 + odd).map(lambda each: [(b"authorization", each)])
    return header | header | header | st.just([(b"authorization", good)])


def _good(name: str, known: Known) -> st.SearchStrategy[str]:
    if name == "cursor":
        return st.sampled_from(known.values[name]) | forged_cursors()
    if name in {"start", "end"}:
        return mostly(st.sampled_from(known.values[name]), moments)
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


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _quoted(text: str) -> str:
    """Return a text as it goes into an address; what the hex spells need not be UTF-8."""
    return quote_from_bytes(_raw(text), safe="") if text != "%00" else quote("%") + "00"


def _header_safe(value: bytes) -> bytes:
    """Return what a server lets through to the application."""
    return bytes(each for each in value if each == ord("\t") or 32 <= each != 127).strip()[:8_000]
