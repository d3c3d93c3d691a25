import os
import socket

import pytest

from adapters.system.listeners import inherited, listen

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")


@needs_ipv6
def test_one_port_is_opened_at_every_address() -> None:
    """All addresses of the hosts get the port that the first one got."""
    sockets = listen(["127.0.0.1", "::1", "127.0.0.1"], 0)
    addresses = [each.getsockname()[:2] for each in sockets]
    for each in sockets:
        each.close()

    port = addresses[0][1]
    assert addresses == [("127.0.0.1", port), ("::1", port)]


@needs_ipv6
def test_a_port_in_use_at_one_address_is_not_opened_at_the_others() -> None:
    """A failure leaves no socket open."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen(["127.0.0.1", "::1"], port)

        for each in listen(["127.0.0.1"], port):
            each.close()


def test_an_address_that_the_machine_has_not_is_left_out() -> None:
    """A machine without one of the addresses serves the others; without any it is an error."""
    absent = "192.0.2.1"
    (opened,) = listen(["127.0.0.1", absent], 0)
    with opened:
        assert opened.getsockname()[0] == "127.0.0.1"

    with pytest.raises(OSError, match="no such address"):
        listen([absent], 0)


def test_an_inherited_socket_keeps_its_address() -> None:
    """A file descriptor is enough to serve the socket that another process opened."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        (same,) = inherited([os.dup(opened.fileno())])
        with same:
            assert (same.family, same.getsockname()) == (socket.AF_INET, opened.getsockname())


def test_a_file_descriptor_that_is_no_socket_is_an_error() -> None:
    """A wrong descriptor is reported before anything is served."""
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="non-socket"):
        inherited([reader])
    os.close(reader)
    os.close(writer)
