"""Acts of invitees and hosts arrive by webhook; our own acts reach Calendly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from adapters.local_stack.demo.stage import Stage, eventually, expect, good

BOOKINGS = "/api/calendly/bookings"
EMAIL = "iris@example.net"


def availability(stage: Stage) -> str:
    types = stage.get("/api/calendly/event-types")["items"]
    solo = next(each for each in types if each["active"] and each["kind"] == "solo")
    stage.known["event_type"] = solo["uri"]
    answer = _slots(stage)
    expect(answer["slots"], "no open slot in the next 14 days")
    cache = answer["cache"]
    age = datetime.now(UTC) - datetime.fromisoformat(cache["fetched_at"])
    return (
        f"{len(types)} event types; {len(answer['slots'])} slots of {solo['name']!r}, "
        f"{cache['freshness']}, {age.seconds} s old"
    )


def invitee_books(stage: Stage) -> str:
    """The booking arrives by signed webhook, and its slot is no longer offered."""
    made = stage.control(
        "POST", "/invitees", event_type=stage.known["event_type"], name="Iris", email=EMAIL
    )
    stage.known["invitee"] = _last(made["uri"])
    booking = eventually(lambda: _by_invitee(stage, made["uri"]), "the booking to arrive")
    expect(booking["status"] == "booked", f"the booking is {booking['status']}")
    taken = [slot for slot in _slots(stage)["slots"] if slot["start"] == booking["start"]]
    expect(not taken, "its slot is still offered")
    stage.known["booking"] = booking["id"]
    return f"booking {booking['id']} at {booking['start']}, its slot no longer offered"


def invitee_reschedules(stage: Stage) -> str:
    """A reschedule arrives as two deliveries; the two bookings name each other."""
    moved = stage.control("POST", f"/invitees/{stage.known['invitee']}/reschedule")
    new = eventually(lambda: _by_invitee(stage, moved["uri"]), "the new booking to arrive")
    old_id = stage.known["booking"]
    old = eventually(
        lambda: _if(stage.get(f"{BOOKINGS}/{old_id}"), status="rescheduled"),
        "the old booking to be rescheduled",
    )
    expect(old["rescheduled_to"] == new["id"], "the old booking does not name the new one")
    expect(new["rescheduled_from"] == old["id"], "the new booking does not name the old one")
    stage.known |= {"invitee": _last(moved["uri"]), "booking": new["id"]}
    return f"{old['id']} → {new['id']}, now at {new['start']}"


def host_marks_no_show(stage: Stage) -> str:
    booking, invitee = stage.known["booking"], stage.known["invitee"]
    path = f"{BOOKINGS}/{booking}"
    stage.control("POST", f"/invitees/{invitee}/no-show")
    eventually(lambda: _if(stage.get(path), no_show=True), "the no-show to arrive")
    stage.control("DELETE", f"/invitees/{invitee}/no-show")
    eventually(lambda: _if(stage.get(path), no_show=False), "its end to arrive")
    return "marked and unmarked at Calendly, both arrived here"


def invitee_cancels(stage: Stage) -> str:
    booking, invitee = stage.known["booking"], stage.known["invitee"]
    stage.control("POST", f"/invitees/{invitee}/cancel", reason="Fell ill")
    seen = eventually(
        lambda: _if(stage.get(f"{BOOKINGS}/{booking}"), status="canceled"),
        "the cancellation to arrive",
    )
    cancellation = seen["cancellation"]
    expect(cancellation["reason"] == "Fell ill", f"the reason is {cancellation['reason']!r}")
    return f"canceled by the {cancellation['by_kind']}: {cancellation['reason']}"


def we_book(stage: Stage) -> str:
    """The same idempotency key books once."""
    answer = _book(stage, "demo-book-1")
    first = good(answer).json()
    again = good(_book(stage, "demo-book-1", start=first["start"])).json()
    expect(first["id"] == again["id"], "the repetition made another booking")
    stage.known["booking"] = first["id"]
    return f"{answer.status_code}: booking {first['id']}; repeated with the same key: the same"


def lost_answer(stage: Stage) -> str:
    """Calendly books, but its answer is lost: the booking is found, not made twice."""
    before = stage.control("GET", "")["invitees"]
    stage.control("POST", "/faults", path="/invitees", method="POST", kind="drop_answer", count=1)
    answer = good(_book(stage, "demo-book-2"))
    made = stage.control("GET", "")["invitees"] - before
    expect(made == 1, f"Calendly holds {made} bookings instead of one")
    return f"the connection broke after Calendly had booked: {answer.status_code}, one booking"


def we_cancel(stage: Stage) -> str:
    booking = stage.known["booking"]
    seen = good(
        stage.api.post(
            f"{BOOKINGS}/{booking}/cancel",
            json={"reason": "Office closed"},
            headers={"Idempotency-Key": "demo-cancel-1"},
        )
    ).json()
    expect(seen["status"] == "canceled", f"the booking is {seen['status']}")
    return f"{booking} is canceled at Calendly: {seen['cancellation']['reason']}"


def _book(stage: Stage, key: str, start: str | None = None) -> httpx.Response:
    if start is None:
        start = stage.known.setdefault(key, _slots(stage)["slots"][-1]["start"])
    booking = {
        "event_type": stage.known["event_type"],
        "start": start,
        "invitee": {"name": "Iris", "email": EMAIL, "timezone": "Europe/Berlin"},
        "answers": [
            {"question": each["name"], "answer": "A demo", "position": each["position"]}
            for each in _questions(stage)
        ],
    }
    return stage.api.post(BOOKINGS, json=booking, headers={"Idempotency-Key": key})


def _questions(stage: Stage) -> list[dict[str, Any]]:
    types = stage.get("/api/calendly/event-types")["items"]
    chosen = next(each for each in types if each["uri"] == stage.known["event_type"])
    return [each for each in chosen["questions"] if each["required"]]


def _slots(stage: Stage) -> Any:
    start = datetime.now(UTC) + timedelta(minutes=5)
    return stage.get(
        "/api/calendly/availability",
        event_type=stage.known["event_type"],
        start=start.isoformat(),
        end=(start + timedelta(days=14)).isoformat(),
    )


def _by_invitee(stage: Stage, uri: str) -> Any:
    items = stage.get(BOOKINGS, limit="100")["items"]
    return next((each for each in items if each["invitee_uri"] == uri), None)


def _if(booking: Any, **wanted: Any) -> Any:
    return booking if all(booking[name] == value for name, value in wanted.items()) else None


def _last(uri: str) -> str:
    return uri.rsplit("/", 1)[-1]
