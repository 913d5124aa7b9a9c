"""Lists of networks that an API token holds from."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from kameng.errors import InvalidInput


def parse_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Networks and single addresses in CIDR form, such as ``203.0.113.0/24``.

    Raises:
        InvalidInput: one of them is neither.
    """
    parsed = []
    for text in texts:
        try:
            parsed.append(str(ip_network(text.strip(), strict=False)))
        except ValueError as error:
            raise InvalidInput(
                f"{text[:60]!r} is neither an IP address nor a network.",
                cure="Write it like 203.0.113.7 or 203.0.113.0/24.",
                path=("allowedNetworks",),
            ) from error
    return tuple(parsed)


def holds_from(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is in one of the networks; an address that is none is in no network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped  # how a socket that listens on both shows an IPv4 client
    return any(parsed in _network(text) for text in networks)


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
