"""Deliveries without a receiver: retries, backoff, disabling, and the control of a test."""

import asyncio
from collections import deque
from datetime import datetime

import pytest

from tests.sandbox.client import Sandbox, tail
from tests.sandbox.hooks import book, hook, presented, signature_of
from tests.sandbox.receiver import Receiver

DAY = 24 * 3600


@pytest.mark.parametrize("status", [301, 404, 500, 0])
async def test_any_status_except_2xx_is_retried_with_a_new_signature(
    sandbox: Sandbox, receiver: Receiver, status: int
) -> None:
    """A redirect, an error and a time-out are failures; the retry has a later t."""
    receiver.statuses = deque([status])
    ada = await sandbox.grant()
    made = await sandbox.subscribe(ada, receiver.url)
    await book(sandbox)
    await sandbox.control("POST", "/deliveries/flush")
    failing = await hook(sandbox, made["uri"])
    await sandbox.control("POST", "/clock", move_seconds=60)
    first, second = await receiver.wait(2)
    await sandbox.control("POST", "/deliveries/flush")
    mended = await hook(sandbox, made["uri"])

    assert failing["retry_started_at"] is not None
    assert failing["state"] == "active"
    assert first.body == second.body
    assert int(presented(second)["t"]) - int(presented(first)["t"]) >= 59
    assert presented(second)["v1"] == signature_of(second, "sandbox-signing-key")
    assert mended["retry_started_at"] is None


@pytest.mark.parametrize(("status", "result"), [(500, "refused"), (0, "timeout")])
async def test_each_attempt_says_how_it_failed(
    sandbox: Sandbox, receiver: Receiver, status: int, result: str
) -> None:
    """A refusal, a time-out and an address without a server have different results."""
    receiver.status = status
    ada = await sandbox.grant()
    await sandbox.subscribe(ada, receiver.url)
    await sandbox.subscribe(ada, "http://127.0.0.1:1/hook")
    await book(sandbox)
    await sandbox.control("POST", "/deliveries/flush")
    deliveries = (await sandbox.control("GET", "/deliveries"))["deliveries"]

    assert {d["callback_url"]: d["attempts"][0]["result"] for d in deliveries} == {
        receiver.url: result,
        "http://127.0.0.1:1/hook": "unreachable",
    }


async def test_a_receiver_that_hangs_up_is_unreachable(sandbox: Sandbox) -> None:
    """A connection closed without an answer, and an answer that is not HTTP, are failures."""

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(words.pop())
        writer.close()

    words = [b"hello\r\n\r\n", b""]
    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await sandbox.subscribe(await sandbox.grant(), f"http://127.0.0.1:{port}/")
    await book(sandbox)
    await sandbox.control("POST", "/deliveries/flush")
    await sandbox.control("POST", "/deliveries/retry-now")
    await sandbox.control("POST", "/deliveries/flush")
    server.close()
    [delivery] = (await sandbox.control("GET", "/deliveries"))["deliveries"]

    assert [a["result"] for a in delivery["attempts"]] == ["unreachable", "unreachable"]


async def test_a_retry_can_keep_its_first_stamp(sandbox: Sandbox, receiver: Receiver) -> None:
    """With the switch every attempt carries the t of the first one."""
    await sandbox.control("PATCH", "/switches", signature_time="frozen")
    receiver.statuses = deque([500])
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/flush")
    await sandbox.control("POST", "/clock", move_seconds=600)
    first, second = await receiver.wait(2)

    assert (
        first.headers["calendly-webhook-signature"]
        == (second.headers["calendly-webhook-signature"])
    )


async def test_a_retry_can_have_a_new_created_at(sandbox: Sandbox, receiver: Receiver) -> None:
    """With the switch a retry's created_at moves and the payload stays."""
    await sandbox.control("PATCH", "/switches", envelope_created_at="fresh")
    receiver.statuses = deque([500])
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/flush")
    await sandbox.control("POST", "/clock", move_seconds=600)
    first, second = await receiver.wait(2)

    assert first.json["created_at"] < second.json["created_at"]
    assert first.json["payload"] == second.json["payload"]


async def test_back_off_grows(sandbox: Sandbox, receiver: Receiver) -> None:
    """The wait after each failure is about twice the one before."""
    receiver.status = 500
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await book(sandbox)
    waits = []
    for _ in range(3):
        await sandbox.control("POST", "/deliveries/flush")
        [waiting] = (await sandbox.control("GET", "/deliveries"))["deliveries"]
        last = waiting["attempts"][-1]["at"]
        waits.append(_seconds(last, waiting["due_at"]))
        await sandbox.control("POST", "/deliveries/retry-now")

    assert [round(wait, -1) for wait in waits] == [10, 20, 40]


async def test_a_day_of_failure_disables_the_subscription(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """After 24 hours without success the hook is disabled and hears nothing more."""
    receiver.status = 500
    made = await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/flush")
    await sandbox.control("POST", "/clock", move_seconds=DAY - 60)
    await receiver.wait(2)
    await sandbox.control("POST", "/deliveries/flush")
    before = await hook(sandbox, made["uri"])
    await sandbox.control("POST", "/clock", move_seconds=120)
    await receiver.wait(3)
    await sandbox.control("POST", "/deliveries/flush")
    after = await hook(sandbox, made["uri"])
    receiver.status = 200
    await book(sandbox)
    await sandbox.control("POST", "/deliveries/flush")

    assert (before["state"], after["state"]) == ("active", "disabled")
    assert len(receiver.received) == 3
    assert (await sandbox.control("GET", ""))["counters"]["deliveries"]["abandoned"] == 1


async def test_another_success_keeps_the_subscription(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """One message that never arrives is given up without disabling a hook that works."""
    receiver.statuses = deque([500])
    made = await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/flush")
    await book(sandbox)
    await receiver.wait(2)
    await sandbox.control("POST", "/deliveries/flush")
    receiver.status = 500
    await sandbox.control("POST", "/clock", move_seconds=DAY + 60)
    await receiver.wait(3)
    await sandbox.control("POST", "/deliveries/flush")

    assert (await hook(sandbox, made["uri"]))["state"] == "active"


async def test_a_hook_can_be_disabled_at_once(sandbox: Sandbox, receiver: Receiver) -> None:
    """Its waiting deliveries are lost, and the API shows the state; it can be deleted."""
    ada = await sandbox.grant()
    made = await sandbox.subscribe(ada, receiver.url)
    await sandbox.control("POST", "/deliveries/pause")
    await book(sandbox)
    await sandbox.control("POST", f"/subscriptions/{tail(made['uri'])}/disable")
    await sandbox.control("POST", "/deliveries/resume")
    await sandbox.control("POST", "/deliveries/flush")
    path = f"/webhook_subscriptions/{tail(made['uri'])}"
    shown = (await sandbox.get(ada, path)).json()["resource"]
    removed = await sandbox.delete(ada, path)

    assert shown["state"] == "disabled"
    assert receiver.received == []
    assert removed.status_code == 204


async def test_deliveries_can_be_held_lost_and_repeated(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """Pause holds, drop loses, resume sends on, redeliver sends a duplicate."""
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await sandbox.control("POST", "/deliveries/pause")
    lost = await book(sandbox)
    dropped = await sandbox.control("POST", "/deliveries/drop")
    kept = await book(sandbox)
    await sandbox.control("POST", "/deliveries/resume")
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/flush")
    done = (await sandbox.control("GET", "/deliveries?state=delivered"))["deliveries"]
    await sandbox.control("POST", f"/deliveries/{done[0]['id']}/redeliver")
    first, second = await receiver.wait(2)

    assert dropped == {"dropped": 1}
    assert first.json["payload"]["uri"] == kept["uri"] != lost["uri"]
    assert first.body == second.body
    assert [a["status"] for a in done[0]["attempts"]] == [200]


async def test_every_delivery_can_come_twice(sandbox: Sandbox, receiver: Receiver) -> None:
    """With a duplicate share of 1 each fact is delivered twice, byte for byte."""
    await sandbox.control("PATCH", "/switches", duplicate_share=1.0)
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    await book(sandbox)
    first, second = await receiver.wait(2)

    assert first.body == second.body


async def test_deleting_a_subscription_ends_its_retries(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """After the DELETE nothing more is sent."""
    receiver.status = 500
    ada = await sandbox.grant()
    made = await sandbox.subscribe(ada, receiver.url)
    await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/flush")
    await sandbox.delete(ada, f"/webhook_subscriptions/{tail(made['uri'])}")
    await sandbox.control("POST", "/clock", move_seconds=600)
    await sandbox.control("POST", "/deliveries/flush")

    assert len(receiver.received) == 1


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
