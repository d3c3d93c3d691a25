"""Shared by tests of deliveries: booking, looking at a hook, checking a signature."""

import hashlib
import hmac
from typing import Any

from tests.sandbox.client import Sandbox
from tests.sandbox.receiver import Received

MEETING = "15 Minute Meeting"


def signature_of(request: Received, key: str) -> str:
    """The v1 that `key` should give for the raw body, made without the sandbox's code."""
    stamp = request.headers["calendly-webhook-signature"].split(",")[0].removeprefix("t=")
    return hmac.new(key.encode(), f"{stamp}.".encode() + request.body, hashlib.sha256).hexdigest()


def presented(request: Received) -> dict[str, str]:
    """The signature header by name."""
    header = request.headers["calendly-webhook-signature"]
    return dict(part.split("=", 1) for part in header.split(","))


async def hook(sandbox: Sandbox, uri: str) -> dict[str, Any]:
    """Return the subscription's current state."""
    found = await sandbox.control("GET", "/subscriptions")
    return next(dict(s) for s in found["subscriptions"] if s["uri"] == uri)


async def book(sandbox: Sandbox) -> dict[str, Any]:
    """A booking with Ada."""
    return await sandbox.book(await sandbox.event_type("ada@example.com", MEETING))
