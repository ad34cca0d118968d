"""How many bytes lie unread in a TCP socket of this machine, as its kernel says (Linux; elsewhere nobody says)."""

import contextlib
import socket
import struct
from pathlib import Path

import attrs

Address = tuple[str, int]

TABLE = Path("/proc/net/tcp")

# From linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
HEADER = struct.Struct("=IHHII")
#: Family, protocol, extensions, states.
REQUEST = struct.Struct("=BBBxI")
#: Ports and addresses in the network's byte order, then interface and cookie, of which any will do.
SOCKET = struct.Struct("!HH16s16s4x")
ANY_COOKIE = b"\xff" * 8
ALL_STATES = 0xFFFFFFFF
#: Behind the header: family, state, timer, retransmissions; the socket; expiry; then what we look for.
UNREAD = struct.Struct("=I")
UNREAD_AT = HEADER.size + 4 + SOCKET.size + len(ANY_COOKIE) + 4


def open_netlink() -> socket.socket | None:
    """Return a socket that asks the kernel about sockets, or None where there is no such thing."""
    with contextlib.suppress(AttributeError, OSError):
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    return None


@attrs.define(eq=False)
class Queues:
    """Asks the kernel: by netlink, which takes some 10 microseconds, else by its table, which may take milliseconds."""

    _netlink: socket.socket | None = attrs.field(factory=open_netlink, init=False)

    def unread(self, local: Address, remote: Address) -> int | None:
        """Return what lies unread in the socket at *local* that is connected to *remote*; None if nobody knows."""
        unread = self.ask(local, remote)
        return look_up(local, remote) if unread is None else unread

    def ask(self, local: Address, remote: Address) -> int | None:
        """Ask by netlink."""
        if self._netlink is None:
            return None
        wanted = REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, ALL_STATES)
        addresses = (socket.inet_aton(local[0]), socket.inet_aton(remote[0]))
        wanted += SOCKET.pack(local[1], remote[1], *addresses) + ANY_COOKIE
        header = HEADER.pack(HEADER.size + len(wanted), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0)
        try:
            self._netlink.send(header + wanted)
            reply = self._netlink.recv(4096)
        except OSError:
            return None
        _, kind, *_ = HEADER.unpack_from(reply)
        return UNREAD.unpack_from(reply, UNREAD_AT)[0] if kind == SOCK_DIAG_BY_FAMILY else None

    def close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()


def look_up(local: Address, remote: Address) -> int | None:
    """Look it up in the kernel's table."""
    try:
        table = TABLE.read_text()
    except OSError:
        return None
    _, found, row = table.partition(f" {spelled(*local)} {spelled(*remote)} ")
    # After the addresses come the state and the queues: 01 <to send>:<unread>, in hexadecimal digits.
    return int(row.split(maxsplit=2)[1].partition(":")[2], 16) if found else None


def spelled(host: str, port: int) -> str:
    """Return an address as the table spells it: the host in the machine's byte order."""
    return f"{struct.unpack('=I', socket.inet_aton(host))[0]:08X}:{port:04X}"
