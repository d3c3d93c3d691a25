"""Acts of operators and programs over HTTP are in the audit trail."""

from typing import Any
from uuid import UUID

from domain.audit import AuditAction
from tests.adapters.web.real_edge import Edge
from tests.adapters.web.serving import problem_in


async def trail(edge: Edge, **params: Any) -> list[dict[str, Any]]:
    """Return the trail as an operator sees it, the latest entry first."""
    answer = await edge.client.get("/api/audit", headers=operator(edge), params=params)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def operator(edge: Edge) -> dict[str, str]:
    """Return the headers of an operator's call."""
    return {"Authorization": f"Bearer {edge.key}", "X-Request-Id": "of-a-test"}


async def test_each_act_leaves_an_entry(edge: Edge) -> None:
    """Looks, replays, erasures and disconnections are recorded with key, object and request."""
    (key,) = await edge.services.manage_api_keys.all()
    client, headers = edge.client, operator(edge)
    await client.get("/api/webhook-events", headers=headers)
    await client.post("/api/invitees/erase", headers=headers, json={"email": "iris@example.net"})
    caller = {**headers, "X-User-Id": "person-0"}
    await client.delete("/api/calendly/integration", headers=caller)
    await client.delete("/api/users/person-0", headers=headers)

    entries = await trail(edge)

    assert [each["action"] for each in entries] == [
        AuditAction.USER_ERASED,
        AuditAction.DISCONNECTED,
        AuditAction.INVITEE_ERASED,
        AuditAction.WEBHOOKS_LISTED,
        AuditAction.KEY_CREATED,
    ]
    assert {each["actor"] for each in entries[:-1]} == {f"key:{key.id}"}
    assert {each["request_id"] for each in entries[:-1]} == {"of-a-test"}
    assert all(UUID(each["subject_id"]) for each in entries if each["subject_id"])
    assert "iris" not in str(entries)
    assert "person-0" not in str(entries)


async def test_a_body_that_is_shown_leaves_an_entry(edge: Edge) -> None:
    """A stored webhook that is looked at, shown with its body, or replayed is named."""
    event = UUID(int=1)
    for path in (f"{event}", f"{event}?with_body=true"):
        await edge.client.get(f"/api/webhook-events/{path}", headers=operator(edge))
    await edge.client.post(f"/api/webhook-events/{event}/replay", headers=operator(edge))

    # There is no such webhook: nothing was shown, and nothing is recorded.
    assert [each["action"] for each in await trail(edge)] == [AuditAction.KEY_CREATED]


async def test_the_trail_has_pages(edge: Edge) -> None:
    """A cursor continues after the page before; each look at the trail is in it too."""
    for _ in range(5):
        await edge.client.get("/api/webhook-events", headers=operator(edge))

    first = (
        await edge.client.get("/api/audit", headers=operator(edge), params={"limit": 4})
    ).json()
    second = (
        await edge.client.get(
            "/api/audit", headers=operator(edge), params={"cursor": first["next_cursor"]}
        )
    ).json()

    listed = [each["action"] for each in (*first["items"], *second["items"])]
    assert listed == [AuditAction.WEBHOOKS_LISTED] * 5 + [AuditAction.KEY_CREATED]
    assert second["next_cursor"] is None
    assert (await trail(edge, limit=1))[0]["action"] == AuditAction.AUDIT_LISTED


async def test_a_made_up_cursor_is_refused(edge: Edge) -> None:
    """A cursor that is not an id is 400 with a code of its own."""
    answer = await edge.client.get(
        "/api/audit", headers=operator(edge), params={"cursor": "yesterday"}
    )

    problem_in(answer, 400, "invalid_cursor")
