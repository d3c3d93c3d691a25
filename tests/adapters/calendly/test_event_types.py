import msgspec
import pytest

from adapters.calendly.availability import CalendlyAvailabilityGateway
from domain.availability import EventType, Place, Profile, Question
from domain.errors import CalendlyForbidden, CalendlyNotFound
from tests.adapters.calendly.support import ACCESS, API_URL, Wire, refusal, resource
from tests.fakes.calendly import bodies

TEXTS = ("1 Cherry Lane", "Ring twice", "+14155551234")


async def read(**changed: object) -> EventType:
    """Return the domain value of an event type's body."""
    wire = Wire(resource(bodies.event_type(**changed)))
    return await CalendlyAvailabilityGateway(wire.api).event_type(ACCESS, bodies.EVENT_TYPE)


async def test_an_event_type_is_complete() -> None:
    """Everything that who shows or books it has to know is read."""
    address, hint, number = TEXTS
    question = {"name": "Size", "type": "single_select", "answer_choices": ["S"]}

    found = await read(
        booking_method="poll",
        duration_options=[15, 30],
        position=4,
        secret=True,
        is_paid=True,
        admin_managed=True,
        locale="de",
        profile={"type": "Team", "name": "Sales", "owner": f"{bodies.API}/groups/G1"},
        locations=[
            {"kind": "physical", "location": address, "additional_info": hint},
            {"kind": "inbound_call", "phone_number": number},
            {"kind": "outbound_call", "phone_number": 14155551234, "location": None},
        ],
        custom_questions=[question | {"include_other": True}],
    )

    assert (found.booking_method, found.duration_options, found.position) == ("poll", (15, 30), 4)
    assert (found.secret, found.is_paid, found.admin_managed) == (True, True, True)
    assert found.locale == "de"
    assert found.profile == Profile("Team", "Sales", f"{bodies.API}/groups/G1")
    assert found.locations == (
        Place("physical", address, hint),
        Place("inbound_call", phone_number=number),
        Place("outbound_call", phone_number="14155551234"),
    )
    assert found.location_kinds == ("physical", "inbound_call", "outbound_call")
    assert found.questions == (
        Question("Size", "single_select", 0, required=False, choices=("S",), include_other=True),
    )


NULLABLE = (
    *("name", "slug", "duration_options", "pooling_type", "description_plain", "profile"),
    *("deleted_at", "locations", "internal_note", "description_html", "custom_questions"),
)


async def test_an_event_type_may_lack_what_the_documents_call_nullable() -> None:
    """Team event types have neither a profile nor a slug; nothing of it hides the rest."""
    found = await read(**dict.fromkeys(NULLABLE))

    assert (found.name, found.slug, found.profile) == ("", None, None)
    assert (found.duration_options, found.locations, found.questions) == ((), (), ())


async def test_an_event_type_of_long_ago_is_read() -> None:
    """A body without the newer fields, and with an unknown one, is read."""
    body = bodies.event_type(kind_description="One-on-One")
    for later in (
        "locations",
        "position",
        "locale",
        "duration_options",
        "is_paid",
        "admin_managed",
    ):
        del body[later]
    wire = Wire(resource(body))

    found = await CalendlyAvailabilityGateway(wire.api).event_type(ACCESS, bodies.EVENT_TYPE)

    assert (found.position, found.is_paid, found.locations) == (0, False, ())


async def test_the_address_of_a_host_is_in_no_representation() -> None:
    """The details of a place may be a home address or a private number."""
    place = {"kind": "physical", "location": TEXTS[0], "additional_info": TEXTS[1]}

    found = await read(locations=[place | {"phone_number": TEXTS[2]}])

    assert found.locations[0].location == TEXTS[0]
    assert not any(each in repr(found) for each in TEXTS)


def test_what_was_cached_before_goes_on_being_read() -> None:
    """An event type as an earlier version of the service kept it decodes with defaults."""
    kept = {
        "uri": bodies.EVENT_TYPE,
        "name": "Intro",
        "active": True,
        "duration": 30,
        "kind": "solo",
        "scheduling_url": "https://calendly.com/ada/intro",
        "location_kinds": ["physical"],
        "questions": [{"name": "Why?", "kind": "text", "position": 0, "required": True}],
    }

    found = msgspec.json.decode(msgspec.json.encode(kept), type=EventType)

    assert (found.booking_method, found.locations, found.profile) == (None, (), None)
    assert found.questions[0].include_other is False


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (refusal(404, "Resource Not Found"), CalendlyNotFound),
        (refusal(403, "Permission Denied"), CalendlyForbidden),
    ],
)
async def test_a_refusal_names_its_reason(refused: object, error: type[Exception]) -> None:
    """A missing event type and a forbidden one are two errors."""
    wire = Wire(by=lambda _: refused)  # type: ignore[arg-type, return-value]

    with pytest.raises(error, match=r"GET /event_types/\{uuid\}"):
        await CalendlyAvailabilityGateway(wire.api).event_type(ACCESS, bodies.EVENT_TYPE)

    assert str(wire.request.url) == f"{API_URL}/event_types/TYPE0001"
