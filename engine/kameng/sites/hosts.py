"""Names of hosts, as requests carry them and as people write them."""

from __future__ import annotations

import re

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def host_name(host: str) -> str:
    """The name in a ``Host`` header: in small letters, without port and final dot."""
    name = host.strip().lower()
    if not name.endswith("]"):
        head, colon, port = name.rpartition(":")
        name = head if colon and port.isdigit() else name
    return name.removesuffix(".")


def domain(text: str) -> str | None:
    """A domain as somebody wrote it, such as ``Shop.Example`` or ``卡.example``, as requests carry it; None where it is none.

    An address, a port or a path in it is a mistake worth telling, and not dropped silently.
    """
    name = text.strip().lower().removesuffix(".")
    try:
        name = name.encode("idna").decode("ascii") if not name.isascii() else name
    except UnicodeError:
        return None
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    # A number at the end would be an address, which says nothing of a site.
    return None if labels[-1].isdigit() else name
