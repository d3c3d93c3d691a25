import os
import socket
from collections.abc import Iterator

import pytest

from adapters.local_stack.errors import PortUnavailableError
from adapters.local_stack.processes.ports import Port, listening_ports


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def accepts(port: int) -> bool:
    """Whether something listens at *port*."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_free_port_is_used_as_wanted(taken_port: int) -> None:
    """A wanted port that is free is the one that is used."""
    port = Port("web", taken_port)
    port.hold()
    port.release()
    again = Port("web", port.number, required=True)
    again.hold()
    again.release()

    assert again.number == again.wanted


def test_a_port_in_use_is_replaced(taken_port: int) -> None:
    """Another port is held instead, and the wanted one is known."""
    port = Port("web", taken_port)
    port.hold()
    held = accepts(port.number)
    port.release()

    assert (port.wanted, held) == (taken_port, True)
    assert port.number != taken_port


def test_a_required_port_in_use_is_an_error_with_the_remedy(taken_port: int) -> None:
    """The message names the port, the reason, and how to choose another one."""
    with pytest.raises(PortUnavailableError) as raised:
        Port("temporal_ui", taken_port, required=True).hold()

    assert str(raised.value) == (
        f"port {taken_port} cannot be used (Address already in use); stop the program that listens "
        "there, or choose another port with --temporal-ui-port or TEMPORAL_UI_PORT "
        "(0 takes a free one)"
    )


def test_no_program_can_take_a_port_that_is_held() -> None:
    """From its choice to its release a port is refused to others wherever `localhost` leads."""
    port = Port("web", localhost=True)
    port.hold()
    try:
        for family, *_, address in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM):
            with pytest.raises(OSError, match="in use"):
                socket.create_server((str(address[0]), port.number), family=family)
    finally:
        port.release()

    assert not accepts(port.number)


def test_a_port_is_in_use_wherever_localhost_leads() -> None:
    """A port of `localhost` is replaced when a program listens at any of its addresses."""
    for family, *_, address in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM):
        with socket.create_server((str(address[0]), 0), family=family) as server:
            port = Port("web", server.getsockname()[1], localhost=True)
            port.hold()
            port.release()

            assert port.number != port.wanted


def test_a_listening_process_is_known_by_its_number() -> None:
    """The system says which process listens, so an answer of another one is not mistaken for it."""
    port = Port("web")
    port.hold()
    here, elsewhere = os.getpid(), os.getppid()
    seen = port.number in listening_ports(here), port.is_lost_to(here), port.is_lost_to(elsewhere)
    port.release()

    assert seen == (True, False, True)
    assert not port.is_lost_to(elsewhere)


def test_a_process_that_has_ended_listens_nowhere() -> None:
    """The question is answered for a process that does not exist any more."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

    assert listening_ports(child) == set()
