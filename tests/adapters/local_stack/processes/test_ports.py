import socket
from collections.abc import Iterator

import pytest

from adapters.local_stack.configuration.config import StackPorts
from adapters.local_stack.configuration.endpoints import claim_endpoints
from adapters.local_stack.processes.ports import ClaimedPort, claim_port, free_port, is_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_given_as_wanted() -> None:
    """A wanted port that is free is the one that is used."""
    wanted = free_port()

    assert ClaimedPort(wanted) == claim_port(wanted)


def test_a_taken_port_is_replaced_and_said(taken_port: int) -> None:
    """A taken port is replaced by a free one, and the wanted one is reported."""
    claim = claim_port(taken_port)

    assert claim.wanted == taken_port
    assert claim.number != taken_port
    assert is_free(claim.number)


def test_a_port_is_taken_wherever_localhost_reaches_somebody() -> None:
    """A port is not free when any address that `localhost` means here is listening on it."""
    for family, *_, address in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM):
        with socket.create_server((str(address[0]), 0), family=family) as server:
            assert not is_free(server.getsockname()[1])


def test_no_two_parts_share_a_port() -> None:
    """Parts that ask for one and the same port get different ones, and that is said."""
    wanted = free_port()
    endpoints = claim_endpoints(StackPorts(wanted, wanted, 0, 0, 0, 0))

    assert endpoints.ports.web == wanted
    assert endpoints.ports.sandbox != wanted
    assert {"sandbox": wanted} == endpoints.replaced
