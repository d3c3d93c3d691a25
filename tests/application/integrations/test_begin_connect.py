import pytest

from application.integrations.begin_connect import verifier_bound_to
from application.security.hashing import digest, pkce_challenge
from domain.token import REQUESTED_SCOPES
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.process import CONNECT_TTL, REDIRECT_URI, Process
from tests.fakes.clock import NOON


@pytest.fixture
async def flow(product: Product, process: Process) -> Flow:
    """A flow that has begun, bound to its browser."""
    user_id = await product.user()
    return await Flow(product, process, product.calendly.add_user()).begin(
        user_id, return_to="/settings", bind_browser=True
    )


async def test_the_consent_page_is_asked_for_what_is_needed(flow: Flow) -> None:
    """The user is sent to Calendly's consent page with our callback and every needed scope."""
    assert flow.started.authorize_url.startswith("https://auth.calendly.com/oauth/authorize?")
    assert flow.query["redirect_uri"] == REDIRECT_URI
    assert set(flow.query["scope"].split()) == set(REQUESTED_SCOPES)
    assert flow.started.expires_at == NOON + CONNECT_TTL


async def test_the_challenge_belongs_to_the_sealed_verifier(flow: Flow, product: Product) -> None:
    """Calendly gets the S256 challenge of a verifier that only the vault can open."""
    (attempt,) = product.storage.state.connect_attempts.values()

    verifier = product.vault.open(attempt.sealed_verifier, verifier_bound_to(attempt.state_hash))

    assert flow.query["code_challenge"] == pkce_challenge(verifier.reveal())
    assert flow.query["code_challenge_method"] == "S256"
    assert 43 <= len(verifier.reveal()) <= 128
    assert verifier.reveal() not in flow.started.authorize_url


def test_the_challenge_is_that_of_the_standard() -> None:
    """The example of RFC 7636, appendix B, comes out."""
    challenge = pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_neither_state_nor_cookie_is_stored(flow: Flow, product: Product) -> None:
    """The store knows state and cookie by their digests alone."""
    (attempt,) = product.storage.state.connect_attempts.values()

    assert flow.started.browser_token is not None
    assert attempt.state_hash == digest(flow.query["state"])
    assert attempt.browser_hash == digest(flow.started.browser_token.reveal())
    assert attempt.return_to == "/settings"


async def test_two_flows_share_nothing(product: Product, process: Process) -> None:
    """Each flow has a state and a challenge of its own."""
    user_id = await product.user()
    flows = [
        await Flow(product, process, product.calendly.add_user()).begin(user_id) for _ in range(2)
    ]

    for name in ("state", "code_challenge"):
        assert flows[0].query[name] != flows[1].query[name]
    assert flows[0].started.browser_token is None
