"""Which site a request is for, by the host that it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class CatalogSites:
    """Fulfils `contract.Sites` by ``[catalog.sites]`` and ``[catalog] default_site``.

    Args:
        kernel: the kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        settings = kernel.settings.section("catalog", CatalogSettings)
        self._sites = {host_name(host): site for host, site in settings.sites.items()}
        self._default = settings.default_site

    def site_of(self, host: str) -> str:
        """See `contract.Sites.site_of`."""
        return self._sites.get(host_name(host), self._default) if self._sites else self._default

    def codes(self) -> frozenset[str]:
        """See `contract.Sites.codes`."""
        return frozenset(("", self._default, *self._sites.values()))


def host_name(host: str) -> str:
    """The name in a ``Host`` header: in small letters, without port and final dot."""
    name = host.strip().lower()
    if not name.endswith("]"):
        head, colon, port = name.rpartition(":")
        name = head if colon and port.isdigit() else name
    return name.removesuffix(".")
