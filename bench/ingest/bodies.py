"""Webhook deliveries of 2.5 KB as Calendly sends them, each about another invitee, signed."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bench.calendly_account import ACCOUNT_URI, EVENT_TYPES
from bench.calendly_bookings import book, signature, webhook
from bench.http_load import http_request

SIGNING_KEY = "bench-signing-key"
BODY_BYTES = 2_500


class Host(NamedTuple):
    """An integration to deliver to: the path of its webhooks, and its account at Calendly."""

    path: str
    account_uri: str


def request_to(host: Host, port: int) -> bytes:
    """Return a new delivery, as it goes over the wire (HTTP/1.1)."""
    body = _body(host.account_uri)
    headers = {
        "Host": f"127.0.0.1:{port}",
        "User-Agent": "Calendly",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "Calendly-Webhook-Signature": signature(body, int(time.time()), SIGNING_KEY),
    }
    return http_request("POST", host.path, headers, body)


def _body(account_uri: str) -> bytes:
    now = datetime.now(UTC)
    start = int((now + timedelta(days=3)).timestamp())
    content = webhook(book(EVENT_TYPES[0], start, now), now)
    plain = json.dumps(content).replace(ACCOUNT_URI, account_uri)
    answer = content["payload"]["questions_and_answers"][0]["answer"]
    padding = "x" * (BODY_BYTES - len(plain))
    return plain.replace(answer, answer + padding, 1).encode()
