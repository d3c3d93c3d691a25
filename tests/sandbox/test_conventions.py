"""Rules of the whole API: tokens, scopes, URIs, errors, pages, limits."""

import pytest

from tests.sandbox.client import Sandbox, soon, tail

LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


async def test_an_unknown_token_is_401(sandbox: Sandbox) -> None:
    """Without a token and with an unknown one the API says it is invalid."""
    bare = await sandbox.http.get("/users/me")
    wrong = await sandbox.http.get("/users/me", headers={"Authorization": "Bearer x"})

    for answer in (bare, wrong):
        assert answer.status_code == 401
        assert answer.json() == {
            "title": "Unauthenticated",
            "message": "The access token is invalid",
        }


async def test_an_unknown_path_is_a_calendly_404(sandbox: Sandbox) -> None:
    """A 404 has Calendly's title and message and no details."""
    ada = await sandbox.grant()
    for path in ("/nothing/here", "/event_types/unknown", "/scheduled_events/unknown"):
        answer = await sandbox.get(ada, path)

        assert answer.status_code == 404
        assert answer.json() == {
            "title": "Resource Not Found",
            "message": "The server could not find the requested resource.",
        }


async def test_a_missing_scope_is_named(sandbox: Sandbox) -> None:
    """403 Insufficient scope lists the scope that the call needs."""
    ada = await sandbox.grant(scope="users:read")
    answer = await sandbox.get(ada, "/event_types", user=ada.uri)

    assert answer.status_code == 403
    assert answer.json() == {
        "title": "Insufficient scope",
        "message": "This operation requires the scopes listed in the 'required_scopes' array.",
        "required_scopes": ["event_types:read"],
    }


async def test_write_includes_read(sandbox: Sandbox) -> None:
    """scheduled_events:write opens the reads of its family; :read does not open writes."""
    writer = await sandbox.grant(scope="scheduled_events:write")
    reader = await sandbox.grant(scope="scheduled_events:read")

    assert (await sandbox.get(writer, "/scheduled_events", user=writer.uri)).status_code == 200
    refused = await sandbox.post(reader, "/invitees", {})
    assert refused.json()["required_scopes"] == ["scheduled_events:write"]


async def test_a_legacy_token_opens_everything(sandbox: Sandbox) -> None:
    """A token of the scope `default` is refused nothing for its scope."""
    ada = await sandbox.grant(scope="default")

    assert (await sandbox.get(ada, "/users/me")).status_code == 200
    assert (await sandbox.get(ada, "/scheduled_events", user=ada.uri)).status_code == 200


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/event_types", "user"),
        ("/event_types", "organization"),
        ("/scheduled_events", "user"),
        ("/user_busy_times", "user"),
        ("/user_availability_schedules", "user"),
        ("/organization_memberships", "user"),
        ("/event_type_available_times", "event_type"),
    ],
)
async def test_a_bare_id_is_refused(sandbox: Sandbox, path: str, parameter: str) -> None:
    """Parameters that name resources take full URIs alone."""
    ada = await sandbox.grant()
    times = {"start_time": soon(), "end_time": soon(days=1)}
    answer = await sandbox.get(ada, path, **{parameter: tail(ada.uri)}, **times)

    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Argument"
    assert answer.json()["message"] == "The supplied parameters are invalid."
    assert answer.json()["details"][0]["parameter"] == parameter


async def test_pages_follow_each_other_without_gap_or_repeat(sandbox: Sandbox) -> None:
    """Following next_page_token walks the whole list, and previous_page_token walks back."""
    ada = await sandbox.grant()
    event_type = await sandbox.event_type(ada.email, "15 Minute Meeting")
    for number in range(7):
        await sandbox.book(event_type, email=f"i{number}@example.net")
    whole = (await sandbox.get(ada, "/scheduled_events", user=ada.uri)).json()
    pages, token = [], None
    while True:
        more: dict[str, str] = {} if token is None else {"page_token": token}
        page = (await sandbox.get(ada, "/scheduled_events", user=ada.uri, count=3, **more)).json()
        pages.append(page)
        token = page["pagination"]["next_page_token"]
        if token is None:
            break
    back = pages[2]["pagination"]["previous_page_token"]
    before = await sandbox.get(ada, "/scheduled_events", user=ada.uri, count=3, page_token=back)

    assert [p["pagination"]["count"] for p in pages] == [3, 3, 1]
    assert [e["uri"] for p in pages for e in p["collection"]] == [
        e["uri"] for e in whole["collection"]
    ]
    assert before.json()["collection"] == pages[1]["collection"]


async def test_a_page_token_names_a_row_not_a_position(sandbox: Sandbox) -> None:
    """A row that appears before the page boundary is not repeated on the next page."""
    ada = await sandbox.grant()
    event_type = await sandbox.event_type(ada.email, "15 Minute Meeting")
    slots = await sandbox.slots(event_type)
    for slot in slots[1:4]:
        await sandbox.book(event_type, start_time=slot)
    asked = {"user": ada.uri, "count": 2}
    first = (await sandbox.get(ada, "/scheduled_events", **asked)).json()
    await sandbox.book(event_type, start_time=slots[0])
    token = first["pagination"]["next_page_token"]
    second = (await sandbox.get(ada, "/scheduled_events", **asked, page_token=token)).json()

    assert [e["start_time"] for e in second["collection"]] == [slots[3]]


async def test_pagination_always_has_its_five_keys(sandbox: Sandbox) -> None:
    """An empty list has a count of 0 and four nulls; next_page is a full API URL."""
    ada = await sandbox.grant()
    empty = (await sandbox.get(ada, "/scheduled_events", user=ada.uri)).json()
    cut = (await sandbox.get(ada, "/event_types", user=ada.uri, count=1)).json()["pagination"]

    assert empty == {
        "collection": [],
        "pagination": {
            "count": 0,
            "next_page": None,
            "next_page_token": None,
            "previous_page": None,
            "previous_page_token": None,
        },
    }
    assert cut["next_page"].startswith("https://api.calendly.com/event_types?")
    assert f"page_token={cut['next_page_token']}" in cut["next_page"]


@pytest.mark.parametrize(
    "wrong",
    [{"count": 0}, {"count": 101}, {"count": "many"}, {"page_token": "%%%"}, {"sort": "x"}],
)
async def test_wrong_paging_is_400(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    """A count outside 1..100, a forged token and an unknown sort are refused."""
    ada = await sandbox.grant()

    assert (await sandbox.get(ada, "/event_types", user=ada.uri, **wrong)).status_code == 400


async def test_lists_sort_both_ways(sandbox: Sandbox) -> None:
    """`sort=name:desc` is the reverse of the default."""
    ada = await sandbox.grant()
    up = (await sandbox.get(ada, "/event_types", user=ada.uri)).json()["collection"]
    down = await sandbox.get(ada, "/event_types", user=ada.uri, sort="name:desc")

    assert [e["name"] for e in up] == sorted(e["name"] for e in up)
    assert down.json()["collection"] == up[::-1]


async def test_every_answer_carries_the_rate_limit_headers(sandbox: Sandbox) -> None:
    """Success, 400, 401 and 404 all carry the caller's limit, in lower case."""
    ada = await sandbox.grant()
    answers = [
        await sandbox.get(ada, "/users/me"),
        await sandbox.get(ada, "/event_types"),
        await sandbox.get(ada, "/unknown"),
        await sandbox.http.get("/users/me"),
    ]

    for answer in answers:
        names = [name.decode() for name, _ in answer.headers.raw]
        assert all(header in names for header in LIMIT_HEADERS)
    assert answers[0].headers["x-ratelimit-limit"] == "500"
    assert [a.headers["x-ratelimit-remaining"] for a in answers[:3]] == ["499", "498", "497"]
    assert answers[0].headers["x-ratelimit-reset"] == "60"


async def test_the_free_plan_has_fifty_requests_a_minute(sandbox: Sandbox) -> None:
    """The 51st request of an app and user within a minute is 429; a minute later all is well."""
    finn, ada = await sandbox.grant("finn@example.com"), await sandbox.grant()
    answers = [await sandbox.get(finn, "/users/me") for _ in range(51)]
    other = await sandbox.get(ada, "/users/me")
    await sandbox.control("POST", "/clock", move_seconds=60)
    later = await sandbox.get(finn, "/users/me")

    assert {a.status_code for a in answers[:50]} == {200}
    assert answers[50].status_code == 429
    assert answers[50].headers["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in answers[50].headers
    assert (other.status_code, later.status_code) == (200, 200)


async def test_a_second_token_of_the_same_app_shares_the_window(sandbox: Sandbox) -> None:
    """The window belongs to app and user, not to the token; another app has its own."""
    await sandbox.control("POST", "/apps", client_id="b", client_secret="s", signing_key="k")
    one, two = await sandbox.grant(), await sandbox.grant()
    foreign = await sandbox.grant(client_id="b")
    await sandbox.get(one, "/users/me")

    assert (await sandbox.get(two, "/users/me")).headers["x-ratelimit-remaining"] == "498"
    assert (await sandbox.get(foreign, "/users/me")).headers["x-ratelimit-remaining"] == "499"


async def test_a_429_can_name_the_wait(sandbox: Sandbox) -> None:
    """With its switches a 429 carries Retry-After and no body."""
    await sandbox.control(
        "PATCH", "/switches", rate_limited_retry_after=True, rate_limited_body=False
    )
    finn = await sandbox.grant("finn@example.com")
    last = [await sandbox.get(finn, "/users/me") for _ in range(51)][-1]

    assert 0 < int(last.headers["retry-after"]) <= 60
    assert last.content == b""


async def test_organization_reads_need_an_owner_or_admin(sandbox: Sandbox) -> None:
    """A member is refused what an owner is shown; an outsider is refused everything."""
    ada, grace = await sandbox.grant(), await sandbox.grant("grace@example.com")
    finn = await sandbox.grant("finn@example.com")
    for path in ("/event_types", "/scheduled_events", "/organization_memberships"):
        owner = await sandbox.get(ada, path, organization=ada.organization)
        member = await sandbox.get(grace, path, organization=ada.organization)
        outsider = await sandbox.get(finn, path, organization=ada.organization)

        assert [a.status_code for a in (owner, member, outsider)] == [200, 403, 403]
        assert member.json()["message"] == "You do not have permission"


async def test_a_stranger_is_not_in_your_organization(sandbox: Sandbox) -> None:
    """Asking about a user of another organization is Calendly's own 403."""
    ada, finn = await sandbox.grant(), await sandbox.grant("finn@example.com")
    answer = await sandbox.get(ada, "/event_types", user=finn.uri)

    assert answer.status_code == 403
    assert answer.json() == {
        "title": "Permission Denied",
        "message": "This user is not in your organization",
    }


async def test_memberships_tell_role_and_organization(sandbox: Sandbox) -> None:
    """A user's own membership is readable by the user and names the role."""
    grace = await sandbox.grant("grace@example.com")
    found = await sandbox.get(grace, "/organization_memberships", user=grace.uri)

    [membership] = found.json()["collection"]
    assert membership["role"] == "user"
    assert membership["organization"] == grace.organization
    assert membership["user"]["uri"] == grace.uri


async def test_an_organization_tells_its_plan(sandbox: Sandbox) -> None:
    """A Free account is plan basic, stage free."""
    finn = await sandbox.grant("finn@example.com")
    answer = await sandbox.get(finn, f"/organizations/{tail(finn.organization)}")

    resource = answer.json()["resource"]
    assert (resource["plan"], resource["stage"]) == ("basic", "free")
    assert isinstance(resource["id"], int)
