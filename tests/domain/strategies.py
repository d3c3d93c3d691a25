"""Generated values of the domain. Few distinct ones, so that equal times and texts collide."""

from datetime import timedelta

from hypothesis import strategies as st

from domain.booking import (
    BookingStatus,
    Cancellation,
    Details,
    Facts,
    Invitee,
    Links,
    Location,
    NoShow,
)
from domain.secret import Secret
from tests.domain.samples import API, NOW, invitee_uri

times = st.integers(0, 3).map(lambda second: NOW + timedelta(seconds=second))
words = st.sampled_from(["", "a", "b", "é"])
maybe = st.none() | words
secrets = st.none() | words.map(Secret)

locations = st.builds(Location, kind=words, text=maybe, join_url=maybe)
details = st.builds(
    Details,
    updated_at=times,
    event_type_uri=maybe,
    event_name=words,
    start=times,
    end=times,
    invitee=st.builds(Invitee, name=words, email=words, timezone=maybe),
    location=st.none() | locations,
    host_uris=st.lists(words, max_size=2).map(tuple),
    calendar_event_id=maybe,
)
cancellations = st.builds(Cancellation, at=times, by=words, by_kind=words, reason=maybe)
toggles = st.builds(NoShow, at=times, uri=maybe)


@st.composite
def facts(draw: st.DrawFn, name: str = "A") -> Facts:
    """Return any facts about one invitee; one with a successor was rescheduled."""
    successor = draw(st.none() | st.sampled_from([invitee_uri("B"), invitee_uri("C")]))
    status = BookingStatus.RESCHEDULED if successor else draw(st.sampled_from(BookingStatus))
    return Facts(
        invitee_uri=invitee_uri(name),
        event_uri=f"{API}/scheduled_events/{draw(words)}",
        status=status,
        created_at=draw(times),
        details=draw(details),
        cancellation=draw(st.none() | cancellations),
        predecessor=draw(maybe),
        successor=successor,
        no_show=draw(st.none() | toggles),
        reference=draw(maybe),
        links=draw(st.builds(Links, cancel=secrets, reschedule=secrets)),
        seen=draw(st.none() | toggles),
    )
