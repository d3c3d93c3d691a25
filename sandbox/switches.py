"""Behaviours that Calendly does not document, each as a switch.

A client must be correct under every setting of a switch; defaults are the likelier reading.
"""

from typing import Literal

import msgspec


class Switches(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every switch with its default; PATCH /_control/switches changes them."""

    # OAuth
    refresh_replay_revokes_family: bool = False
    """A spent refresh token that is shown again also kills the newest pair."""
    refresh_rotation: Literal["immediate", "until_first_use"] = "immediate"
    """When a refresh token dies: with the answer, or at the first use of the new pair."""
    refresh_kills_access_token: bool = False
    """A refresh also kills the old access token."""
    invalid_grant_status: Literal[400, 401] = 400
    legacy_app: bool = False
    """An authorize request without `scope` is granted `default`: everything."""

    # API
    available_times_scope: Literal["availability:read", "event_types:read"] = "availability:read"
    """Calendly's two pages disagree on the scope of /event_type_available_times."""
    available_times_need_calendar: bool = False
    """A broken calendar refuses open slots too; 424 is documented for busy times alone."""
    etags: bool = True
    """Reads carry weak ETags, as recorded, and If-None-Match is honoured, which is not."""
    taken_slot_status: Literal[400, 404] = 400
    rate_limited_retry_after: bool = False
    rate_limited_body: bool = True
    rate_limit_reset: Literal["constant", "remaining"] = "constant"
    """x-ratelimit-reset: always 60, as recorded, or the seconds left of the window."""
    free_bookings_per_day: int = 25
    """POST /invitees on the Free plan is limited; the number is not published."""
    plan_gating: Literal["new", "old"] = "new"
    """`old`: before 3 November 2026 Free plans had neither webhooks nor POST /invitees."""
    location_required: bool = False
    """POST /invitees without `location` is refused where the event type has one."""
    cancel_reason_refused: bool = False
    """One project saw 400 for a cancellation that carries a reason."""
    id_style: Literal["uuid", "short"] = "uuid"
    """Ids of new events and invitees: RFC 4122, or 16 upper-case letters."""
    join_url_delay: float = 0.0
    """Seconds from a booking to its conference link."""

    # Webhooks
    signature_time: Literal["fresh", "frozen"] = "fresh"
    """`t` of a retry: the attempt's time, or the first attempt's."""
    envelope_created_at: Literal["frozen", "fresh"] = "frozen"
    reschedule_order: Literal["canceled_first", "created_first"] = "canceled_first"
    duplicate_share: float = 0.0
    """Share (0..1) of deliveries that are sent twice."""
    hook_url_unique_per: Literal["app", "organization", "user"] = "app"
    hook_signing_key: Literal["app", "subscription"] = "app"
    """Which key signs when an OAuth client passes `signing_key`."""
    hook_list_lag: float = 0.0
    """Seconds until a new subscription shows in the list."""
    group_cancel_fan_out: Literal["each", "first"] = "each"
    """Host cancels a group event: one invitee.canceled per active invitee, or one in all."""
