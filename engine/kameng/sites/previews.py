"""Links to drafts: signed, for one site and for a while.

A token names its site and when it ends, and is signed by the deployment's signing key. It opens the draft of that site alone,
as it is when somebody looks, and changes nothing.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from kameng.errors import KamengError
from kameng.sites.errors import PreviewRefused
from kameng.sites.settings import SitesSettings
from kameng.vault.vault import Signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kameng.kernel import Kernel

PARAMETER = "_preview"
"""The query parameter that brings a token to a site."""

END = "end"
"""The parameter's value that ends a preview."""

_DOMAIN = "sites.preview"
_LONGEST = 400

NOT_HERE = "This link shows no preview here."
ENDED = "This link to a preview has ended."
"""What is said of a refused link; each theme has it in its own language from the kernel's base layer."""


@dataclass(frozen=True, slots=True)
class PreviewLink:
    """A link that shows a draft.

    Attributes:
        url: where.
        expires_at: until when.
    """

    url: str
    expires_at: datetime


class _Claim(msgspec.Struct, frozen=True, array_like=True):
    site: UUID
    ends: int


def preview_token(kernel: Kernel, site: UUID, ends: int) -> str:
    """A token for the draft of a site.

    Args:
        kernel: whose signing key.
        site: the site's key.
        ends: seconds since 1970.
    """
    claim = msgspec.msgpack.encode(_Claim(site, ends))
    signature = kernel.vault.sign(_DOMAIN, claim)
    return f"{_text(claim)}.{signature.version}.{_text(signature.mac)}"


def read_token(kernel: Kernel, token: str, site: UUID, now: float | None = None) -> int:
    """Insist on a token of a site that has not ended; returns when it does, in seconds since 1970.

    Raises:
        PreviewRefused: it is forged, too old or of another site.
    """
    ends = _ends(kernel, token, site)
    if ends is None:
        raise PreviewRefused(NOT_HERE, cure="Ask for a new one in the back office.")
    if ends <= (time.time() if now is None else now):
        raise PreviewRefused(ENDED, cure="Ask for a new one in the back office.")
    return ends


def preview_link(kernel: Kernel, site: UUID, hosts: Sequence[str]) -> PreviewLink:
    """A fresh link to the draft of a site.

    Args:
        kernel: the deployment.
        site: the site's key.
        hosts: its domains; none: the deployment's own address.
    """
    hours = kernel.settings.section("sites", SitesSettings).preview_hours
    ends = int(time.time()) + hours * 3_600
    return PreviewLink(
        f"{address_of(kernel, hosts)}/?{PARAMETER}={preview_token(kernel, site, ends)}",
        datetime.fromtimestamp(ends, UTC),
    )


def address_of(kernel: Kernel, hosts: Sequence[str]) -> str:
    """Where a site is reached: its first domain, by scheme and port of the deployment's own address."""
    own = kernel.settings.public_url.rstrip("/")
    if not hosts:
        return own
    parts = urlsplit(own)
    return f"{parts.scheme}://{hosts[0]}" + (f":{parts.port}" if parts.port else "")


def _ends(kernel: Kernel, token: str, site: UUID) -> int | None:
    pieces = token.split(".")
    if len(token) > _LONGEST or len(pieces) != 3 or not pieces[1].isdecimal():
        return None
    try:
        claim, mac = _bytes(pieces[0]), _bytes(pieces[2])
        if not kernel.vault.is_signed(_DOMAIN, claim, Signature(int(pieces[1]), mac)):
            return None
        found = msgspec.msgpack.decode(claim, type=_Claim)
    except (ValueError, msgspec.DecodeError, KamengError):
        return None
    return found.ends if found.site == site else None


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
