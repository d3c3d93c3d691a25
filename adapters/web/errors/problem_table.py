"""Which HTTP status and title each error class has.

The table names every class of the domain's error tree. A test fails until a new class has a
status here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from domain import errors


class Row(NamedTuple):
    """How one error class looks over HTTP; `retry_after` (seconds) where the error has none."""

    status: int
    title: str
    retry_after: int | None = None


PROBLEMS: Mapping[type[errors.SlotkeeperError], Row] = {
    errors.SlotkeeperError: Row(500, "Internal error"),
    errors.InvalidInput: Row(400, "Invalid request"),
    errors.InvalidRange: Row(400, "Invalid time range"),
    errors.InvalidCursor: Row(400, "Invalid cursor"),
    errors.InvalidTimezone: Row(400, "Unknown timezone"),
    errors.ConnectStateInvalid: Row(400, "Connect flow not valid"),
    errors.ConnectHandleInvalid: Row(400, "Connect handle not valid"),
    errors.ConnectUnconfirmable: Row(400, "Connect flow without return_to"),
    errors.MalformedWebhook: Row(400, "Malformed webhook"),
    errors.PayloadTooLarge: Row(413, "Body too large"),
    errors.IdempotencyKeyMissing: Row(400, "Idempotency-Key missing"),
    errors.RateLimited: Row(429, "Too many requests", 1),
    errors.Unauthenticated: Row(401, "Not authenticated"),
    errors.ApiKeyInvalid: Row(401, "API key not valid"),
    errors.CallerForbidden: Row(403, "Not allowed"),
    errors.KeyScopeMissing: Row(403, "API key lacks a scope"),
    errors.KeyNetworkRefused: Row(403, "API key not allowed from there"),
    errors.CronSecretInvalid: Row(401, "Cron secret not valid"),
    errors.SignatureRejected: Row(401, "Webhook signature not valid"),
    errors.NotFound: Row(404, "Not found"),
    errors.IntegrationNotFound: Row(404, "No Calendly account connected"),
    errors.EventTypeNotFound: Row(404, "Event type not found"),
    errors.BookingNotFound: Row(404, "Booking not found"),
    errors.SubscriptionNotFound: Row(404, "Webhook subscription not found"),
    errors.WebhookEventNotFound: Row(404, "Stored webhook not found"),
    errors.Conflict: Row(409, "Conflict"),
    errors.IdempotencyKeyReused: Row(409, "Idempotency-Key used for another request"),
    errors.CommandInProgress: Row(409, "Request in progress", 1),
    errors.AccountMismatch: Row(409, "Another Calendly account"),
    errors.DisconnectInProgress: Row(409, "Being disconnected", 5),
    errors.BookingNotOpen: Row(409, "Booking not open"),
    errors.ConsentDenied: Row(400, "Consent denied"),
    errors.ScopesDeclined: Row(400, "Permissions declined"),
    errors.ReauthRequired: Row(409, "Calendly has to be connected again"),
    errors.SealedValueUnreadable: Row(500, "Stored secret unreadable"),
    errors.EncryptionKeyUnknown: Row(500, "Encryption key missing"),
    errors.SealedValueCorrupt: Row(500, "Stored secret corrupt"),
    errors.RefreshInProgress: Row(503, "Tokens are being refreshed", 2),
    errors.AvailabilityPending: Row(503, "Availability is being fetched", 2),
    errors.CircuitOpen: Row(503, "Calendly is not being called for now", 30),
    errors.StorageUnavailable: Row(503, "Database unavailable", 5),
    errors.StorageContended: Row(503, "Database busy with the same", 1),
    errors.JobsUnavailable: Row(503, "Workflow engine unavailable", 5),
    errors.CalendlyError: Row(502, "Calendly failed"),
    errors.CalendlyUnavailable: Row(503, "Calendly unavailable", 10),
    errors.CalendlyUncertain: Row(504, "Calendly did not answer", 10),
    errors.CalendlyThrottled: Row(429, "Calendly's rate limit reached", 60),
    errors.CalendlyProtocolError: Row(502, "Unreadable answer from Calendly"),
    errors.CalendlyAnswerTooLarge: Row(502, "Answer from Calendly too large"),
    errors.AccessTokenRejected: Row(502, "Calendly rejected our access token"),
    errors.GrantRefused: Row(409, "Calendly refused the authorization"),
    errors.ClientRefused: Row(502, "Calendly refused this service's credentials"),
    errors.ScopeMissing: Row(403, "Permission missing at Calendly"),
    errors.CalendlyForbidden: Row(403, "Forbidden by Calendly"),
    errors.CalendlyRejected: Row(422, "Calendly refused the request"),
    errors.CalendlyNotFound: Row(404, "Not found at Calendly"),
    errors.CalendlyConflict: Row(409, "Conflict at Calendly"),
    errors.CalendarBroken: Row(424, "The host's calendar connection is broken"),
    errors.SlotTaken: Row(409, "Time slot taken"),
}


def row_of(error: type[errors.SlotkeeperError]) -> Row:
    """Return an error class's row; one that has none of its own gets its nearest ancestor's."""
    return next(PROBLEMS[each] for each in error.__mro__ if each in PROBLEMS)
