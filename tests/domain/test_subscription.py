from random import Random
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import IntegrationId
from domain.secret import Secret
from domain.subscription import (
    USER_EVENTS,
    ActualSubscription,
    Plan,
    ReplaceReason,
    new_key,
    own_prefix,
    owner_of,
    plan,
)
from domain.subscription_signing import marked
from tests.domain.samples import API, INTEGRATION

BASE = "https://app.example.com/api/calendly/webhooks"
OURS = own_prefix(BASE, INTEGRATION)
KEY, OLDER_KEY = Secret("signing-key"), Secret("previous-key")
CURRENT = f"{BASE}/{new_key(INTEGRATION, 'one')}"


def listed(name: str = "S1", **changes: object) -> ActualSubscription:
    """Return the subscription that an integration should have, as Calendly lists it."""
    good = ActualSubscription(
        uri=f"{API}/webhook_subscriptions/{name}",
        callback_url=CURRENT,
        state="active",
        events=USER_EVENTS,
    )
    return msgspec.structs.replace(good, **changes)


def planned(*actual: ActualSubscription, current: str | None = CURRENT) -> Plan:
    """Return the plan for what Calendly lists."""
    return plan(
        actual,
        ours=OURS,
        current=current,
        known=f"{API}/webhook_subscriptions/KNOWN",
        signing_key=KEY,
    )


def test_a_good_subscription_is_kept() -> None:
    """An active subscription under the known address with every event needs nothing."""
    assert planned(listed()) == Plan(keep=listed(), delete=(), failing=False)


def test_one_under_the_newest_key_is_kept() -> None:
    """A subscription whose own key comes from the newest configured one needs nothing."""
    current = f"{BASE}/{new_key(INTEGRATION, marked('one', KEY))}"
    under_it = listed(callback_url=current)

    assert planned(under_it, current=current).keep == under_it


def test_one_under_an_earlier_key_is_replaced() -> None:
    """Once the configured key was changed, a subscription under an earlier one is made again."""
    current = f"{BASE}/{new_key(INTEGRATION, marked('one', OLDER_KEY))}"
    under_it = listed(callback_url=current)

    made = planned(under_it, current=current)

    assert made == Plan(
        keep=None, delete=(under_it.uri,), failing=False, reason=ReplaceReason.REKEYED
    )


def test_more_events_than_needed_are_good() -> None:
    """Events beyond those needed are not a reason to replace a subscription."""
    more = listed(events=(*reversed(USER_EVENTS), "routing_form_submission.created"))

    assert planned(more).keep == more


def test_without_any_subscription_one_is_created() -> None:
    """Where Calendly lists none, one is made and nothing is deleted."""
    assert planned(current=None) == Plan(keep=None, delete=(), failing=False)


def test_one_that_is_gone_is_missing() -> None:
    """A subscription that Calendly no longer has is made again, with that reason."""
    assert planned() == Plan(keep=None, delete=(), failing=False, reason=ReplaceReason.MISSING)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (listed(state="disabled"), ReplaceReason.DISABLED),
        (listed(events=USER_EVENTS[1:]), ReplaceReason.KINDS),
        (listed(events=()), ReplaceReason.KINDS),
        (listed(callback_url=f"{OURS}another"), ReplaceReason.MISSING),
    ],
    ids=["disabled", "one event missing", "no events", "another address"],
)
def test_a_bad_subscription_is_replaced(bad: ActualSubscription, reason: ReplaceReason) -> None:
    """A disabled, incomplete or unknown subscription of ours goes once a new one is made."""
    assert planned(bad) == Plan(keep=None, delete=(bad.uri,), failing=False, reason=reason)


def test_an_integration_that_knows_no_address_starts_afresh() -> None:
    """A subscription whose address we lost is replaced, since we could not tell its deliveries."""
    assert planned(listed(), current=None) == Plan(
        keep=None, delete=(listed().uri,), failing=False
    )


def test_leftovers_beside_a_good_one_are_deleted() -> None:
    """A replacement that broke off half-way is tidied up, and the good one stays."""
    leftover = listed("S0", callback_url=f"{OURS}zero", state="disabled")

    assert planned(leftover, listed()) == Plan(
        keep=listed(), delete=(leftover.uri,), failing=False
    )


def test_failing_deliveries_are_an_early_warning() -> None:
    """A kept subscription that Calendly is retrying is good, and said to be failing."""
    failing = listed(retry_started_at="2026-11-22T08:00:00.000000Z")

    assert planned(failing) == Plan(keep=failing, delete=(), failing=True)


def test_the_known_one_is_ours_at_any_address() -> None:
    """After our public address changed, the subscription at the old one is replaced."""
    moved = listed("KNOWN", callback_url=CURRENT.replace("app.", "old."))
    stranger = listed("OTHER", callback_url=CURRENT.replace("app.", "old."))

    assert planned(moved, stranger) == Plan(
        keep=None, delete=(moved.uri,), failing=False, reason=ReplaceReason.MOVED
    )
    assert planned(moved, listed()) == Plan(keep=listed(), delete=(moved.uri,), failing=False)


neighbour = own_prefix(BASE, IntegrationId(UUID(int=INTEGRATION.int + 1)))
others = st.builds(
    listed,
    st.uuids().map(str),
    callback_url=st.sampled_from(
        [
            f"{neighbour}one",
            f"{BASE}/{INTEGRATION.hex}",
            f"{BASE}/",
            "https://other.example.com/hook",
            OURS.replace("https", "http") + "one",
        ]
    ),
    state=st.sampled_from(["active", "disabled"]),
)
mine = st.builds(
    listed,
    st.uuids().map(str),
    callback_url=st.sampled_from([CURRENT, f"{OURS}two"]),
    state=st.sampled_from(["active", "disabled"]),
    events=st.sampled_from([USER_EVENTS, USER_EVENTS[:3]]),
)


@given(st.lists(others, max_size=5), st.lists(mine, max_size=5), st.randoms())
def test_only_our_own_are_ever_touched(
    theirs: list[ActualSubscription], own: list[ActualSubscription], chance: Random
) -> None:
    """Another integration's, environment's or product's subscription is neither kept nor deleted."""
    actual = [*theirs, *own]
    chance.shuffle(actual)
    result = planned(*actual)

    kept = set() if result.keep is None else {result.keep.uri}
    assert kept | set(result.delete) == {each.uri for each in own}
    assert kept.isdisjoint(result.delete)


@given(st.uuids().map(IntegrationId), st.text(max_size=30))
def test_a_key_names_its_owner(integration_id: IntegrationId, token: str) -> None:
    """A delivery's address names the owner, for any of their subscriptions."""
    key = new_key(integration_id, token)

    assert owner_of(key) == integration_id
    assert f"{BASE}/{key}".startswith(own_prefix(BASE, integration_id))


@given(st.text(max_size=80))
def test_no_key_makes_it_raise(key: str) -> None:
    """An address that we did not make has no owner, and is not an error."""
    assert owner_of(key) is None


@pytest.mark.parametrize(
    "key", ["", "-", INTEGRATION.hex, "zz-token", f"{INTEGRATION.hex[:-1]}-x"]
)
def test_an_incomplete_key_has_no_owner(key: str) -> None:
    """An address without a whole identity and a token has no owner."""
    assert owner_of(key) is None
