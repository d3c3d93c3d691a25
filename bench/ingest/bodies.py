"""Webhook bodies of 2.5 KB as Calendly sends them, each about an invitee of its own, signed."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bench.webhook_bodies import API, Meeting, created, signature

SIGNING_KEY = "bench-signing-key"
BODY_BYTES = 2_500


class Host(NamedTuple):
    """An integration to deliver to: its own address, and its account at Calendly."""

    path: str
    account_uri: str


def request_to(host: Host, port: int) -> bytes:
    """Return one delivery, never made before, as it goes over the wire (HTTP/1.1)."""
    body = _body(host.account_uri)
    head = (
        f"POST {host.path} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "User-Agent: Calendly\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/json\r\n"
        f"Calendly-Webhook-Signature: {signature(body, int(time.time()), SIGNING_KEY)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _body(account_uri: str) -> bytes:
    now = datetime.now(UTC)
    plain = created(_meeting(account_uri, now + timedelta(days=3)), now)
    missing = BODY_BYTES - len(json.dumps(plain).encode())
    answer = plain["payload"]["questions_and_answers"][0]
    answer["answer"] += "x" * max(0, missing)
    return json.dumps(plain).encode()


def _meeting(account_uri: str, start: datetime) -> Meeting:
    return Meeting(
        account_uri=account_uri,
        event_type_uri=f"{API}/event_types/INTRO",
        start=start,
        end=start + timedelta(minutes=30),
        event=uuid.uuid4(),
        invitee=uuid.uuid4(),
    )
