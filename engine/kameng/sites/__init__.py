"""Sites: shops under domains of their own, each with its look: theme, settings, colours and logo.

    draft → preview (a signed link) → published version → all processes, by a live signal

It is a part of the kernel in the form of a module. Whoever wants to know which site a request is for asks `SiteDirectory` by
``kernel.services.find``, since a deployment may do without.
"""

from typing import TYPE_CHECKING

from kameng.module import Module, Permission, Provide, SchemaPart
from kameng.sites.admin import SitesMutation, SitesQuery
from kameng.sites.admin_types import EDIT, MANAGE, PUBLISH, READ, site_nodes, version_nodes
from kameng.sites.contract import LogoStore
from kameng.sites.directory import Site, SiteDirectory
from kameng.sites.look import Logo, Look
from kameng.sites.settings import SitesSettings
from kameng.version import VERSION

if TYPE_CHECKING:
    from kameng.kernel import Kernel

__all__ = ["Logo", "LogoStore", "Look", "Site", "SiteDirectory", "SitesSettings", "module"]


async def start(kernel: "Kernel") -> None:
    """Read the sites and follow their changes."""
    await kernel.services.get(SiteDirectory).start()


async def stop(kernel: "Kernel") -> None:
    """Follow them no longer."""
    await kernel.services.get(SiteDirectory).stop()


module = Module(
    name="sites",
    version=VERSION,
    settings=SitesSettings,
    piccolo_app="kameng.sites.piccolo_app",
    admin=SchemaPart(
        query=SitesQuery, mutation=SitesMutation, nodes={"Site": site_nodes, "SiteVersion": version_nodes}
    ),
    provides=(Provide(SiteDirectory, SiteDirectory),),
    permissions=(
        Permission(READ, "See sites, their drafts and their history", "查看站点、草稿与历史"),
        Permission(MANAGE, "Make sites and set their domains", "新建站点并设置域名"),
        Permission(EDIT, "Edit and preview the look of sites", "编辑并预览站点外观"),
        Permission(PUBLISH, "Publish and restore the look of sites", "发布与恢复站点外观"),
    ),
    on_start=start,
    on_stop=stop,
)
