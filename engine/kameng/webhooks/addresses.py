"""Which network addresses the shop may call on somebody's behalf: those of the public internet, and no others.

The ranges are those of IANA's registries of special-purpose addresses (RFC 6890 and its successors). They stand here
rather than in the standard library's ``is_global``, whose answers differ between patch versions of Python.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_CLOSED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT, and metadata of some clouds
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, and metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments, and metadata of one cloud
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # the platform of one cloud, at a public address
    )
)
_OPEN_6 = IPv6Network("2000::/3")  # the only range from which public addresses are given out
_CLOSED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NEVER = tuple(
    IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
)
_NEVER_EXACT = frozenset(
    ip_address(text)
    for text in ("168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
)
_LOOPBACK_6 = IPv6Address("::1")


def read_address(text: str) -> IPv4Address | IPv6Address:
    """An address; one of IPv4 that is written in IPv6's form (``::ffff:127.0.0.1``) is the IPv4 address."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet."""
    address = read_address(text)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    return (
        address.scope_id is None
        and address in _OPEN_6
        and not any(address in network for network in _CLOSED_6)
    )


def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    return read_address(text).is_loopback


def is_private(text: str) -> bool:
    """Whether an address belongs to a private network that an operator may open: none of this machine or its link, no
    multicast, and not where clouds answer for their metadata."""
    address = read_address(text)
    if address in _NEVER_EXACT:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NEVER)
    private = address in IPv6Network("fc00::/7") or is_public(text)
    return private and address.scope_id is None and address != _LOOPBACK_6
