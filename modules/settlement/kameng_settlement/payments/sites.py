"""Sites of payments: where the catalogue says which there are. A shop of one site needs nobody to say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kameng_catalog.contract import Sites

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.kernel import Kernel

OWN: Final = ""
"""The code of the operator's own site."""


def site_of(context: Context) -> str:
    """The code of the site that a request is for."""
    sites = context.kernel.services.find(Sites)
    return sites.site_of(context.host) if sites else OWN


def site_codes(kernel: Kernel) -> frozenset[str]:
    """The codes of all sites, the operator's own among them."""
    sites = kernel.services.find(Sites)
    return sites.codes() if sites else frozenset((OWN,))
