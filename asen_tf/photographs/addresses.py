"""Which addresses of the Internet may be asked for photographs."""

import ipaddress
import socket

# RFC 6052: the last 32 bits are an address of version 4.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(ValueError):
    """A host lies inside of a network."""


def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, all of them public.

    Raises:
      AddressRefused: one is of this machine, of a private network or of none.
      OSError: the host is not known.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(address for *_, (address, *_) in found))
    for address in addresses:
        if not is_public(address):
            raise AddressRefused(
                f"{host} is {address}, no public address; --allow_private_addresses reads "
                "photographs inside of a network"
            )
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet, and so is any that it carries."""
    parsed = ipaddress.ip_address(address)
    carried = []
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = [parsed.ipv4_mapped, parsed.sixtofour, *(parsed.teredo or ())]
        if parsed in _NAT64:
            carried.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved
        for one in (*filter(None, carried), *([] if any(carried) else [parsed]))
    )
