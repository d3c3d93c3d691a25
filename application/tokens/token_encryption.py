"""Sealing token pairs for the row that they belong to.

The row's identity and the column are bound into the sealed value. A value that is copied to
another row or column does not open there.
"""

from application.ports.vault import Vault
from domain.errors import SealedValueUnreadable
from domain.ids import IntegrationId
from domain.integration import Integration, sealed_tokens, usable_tokens
from domain.secret import Secret
from domain.token import Access, SealedTokens, TokenPair


def seal_pair(
    vault: Vault, integration_id: IntegrationId, pair: TokenPair, *, version: int
) -> SealedTokens:
    return SealedTokens(
        access=vault.seal(pair.access, _bound_to(integration_id, "access")),
        refresh=vault.seal(pair.refresh, _bound_to(integration_id, "refresh")),
        expires_at=pair.expires_at,
        version=version,
    )


def open_refresh(vault: Vault, integration: Integration) -> Secret:
    """Return the refresh token. Raises what `sealed_tokens` and `Vault.open` raise."""
    tokens = sealed_tokens(integration)
    return vault.open(tokens.refresh, _bound_to(integration.id, "refresh"))


def open_access(vault: Vault, integration: Integration) -> Access:
    """Return what a call needs. Raises what `usable_tokens` and `Vault.open` raise."""
    tokens = usable_tokens(integration)
    token = vault.open(tokens.access, _bound_to(integration.id, "access"))
    return Access(token=token, user_uri=integration.account.user_uri)


def open_both(vault: Vault, integration_id: IntegrationId, tokens: SealedTokens) -> list[Secret]:
    """Return refresh and access token, whatever the integration's status, to revoke them."""
    return [
        vault.open(tokens.refresh, _bound_to(integration_id, "refresh")),
        vault.open(tokens.access, _bound_to(integration_id, "access")),
    ]


def holds(vault: Vault, integration: Integration, pair: TokenPair) -> bool:
    if integration.tokens is None:
        return False
    try:
        stored = open_both(vault, integration.id, integration.tokens)
    except SealedValueUnreadable:
        # Sealed with a key that is gone: an older pair, then, since ours was sealed just now.
        return False
    return stored == [pair.refresh, pair.access]


def _bound_to(integration_id: IntegrationId, column: str) -> str:
    return f"calendly_integration:{integration_id}:{column}"
