"""Which site a request is for, by the host that it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.sites import SiteDirectory
from kameng.sites.hosts import host_name
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class CatalogSites:
    """Fulfils `contract.Sites` by the domains of sites, and for all other hosts by ``[catalog.sites]`` and ``default_site``.

    Args:
        kernel: the kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        settings = kernel.settings.section("catalog", CatalogSettings)
        self._sites = {host_name(host): site for host, site in settings.sites.items()}
        self._default = settings.default_site
        # A part of the kernel that a deployment may do without; where it is there, themes go by the same sites as prices.
        self._directory = kernel.services.find(SiteDirectory)
        if self._directory is not None:
            self._directory.configure(self._sites, self._default)

    def site_of(self, host: str) -> str:
        """See `contract.Sites.site_of`."""
        if self._directory is not None:
            return self._directory.code_of(host)
        return self._sites.get(host_name(host), self._default) if self._sites else self._default

    def codes(self) -> frozenset[str]:
        """See `contract.Sites.codes`."""
        more = self._directory.codes if self._directory is not None else ()
        return frozenset(("", self._default, *self._sites.values(), *more))
