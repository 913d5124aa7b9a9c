"""The catalogue's section of ``kameng.toml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from kameng.errors import SettingsError

if TYPE_CHECKING:
    from kameng.kernel import Kernel

Site = Annotated[str, msgspec.Meta(pattern="^([a-z0-9][a-z0-9_-]{0,63})?$")]

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class MediaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[catalog.media]``: where pictures are kept, and how large they may be.

    Attributes:
        store: ``folder`` of this machine, or ``s3`` for a bucket; its credentials come from the environment
            (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``).
        folder: of a folder, relative to ``kameng.toml``.
        bucket, region, endpoint, prefix: of a bucket; an empty endpoint is Amazon's.
        virtual_hosts: whether the bucket's name stands in the host's name rather than in the path.
        public_url: where a web server or CDN serves the files; empty: this shop does, at ``/media``.
        keep_days: how long a picture is kept that nothing shows any more; a file that no row names is deleted as well, so the
            folder or the prefix in the bucket belongs to one shop alone.
        max_pixels, max_side: width times height of a picture, and the larger of both.
    """

    store: Literal["folder", "s3"] = "folder"
    folder: str = ".kameng/media"
    bucket: str = ""
    region: str = "us-east-1"
    endpoint: str = ""
    prefix: str = ""
    virtual_hosts: bool = False
    public_url: str = ""
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 30
    max_pixels: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] = 24_000_000
    max_side: Annotated[int, msgspec.Meta(ge=1, le=16_383)] = 10_000


class CatalogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[catalog]``.

    Attributes:
        currency: the currency that the shop shows prices in (ISO 4217). Lists are sorted by prices in another one after the
            next run of the task ``check_listings``.
        time_zone: whose days decide whether a card is still valid (IANA, such as ``Asia/Shanghai``).
        low_stock: a variant with fewer pieces than this is low.
        available_cap: the shop tells no more than this many pieces, so that nobody reads our stock.
        popular_days: sales of so many days make a product popular.
        media: pictures.
        sites: which site each host is, such as ``"north.example" = "north"``; prices may be set for single sites.
        default_site: the site of all other hosts, and of whatever comes by none; empty: the operator's own.
    """

    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "CNY"
    time_zone: str = "Asia/Shanghai"
    low_stock: Count = 10
    available_cap: Count = 100
    popular_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    media: MediaSettings = MediaSettings()
    sites: dict[str, Site] = {}
    default_site: Site = ""


async def check_time_zone(kernel: Kernel) -> None:
    """Make sure at start that the database knows the time zone, rather than at the first sale.

    Raises:
        SettingsError: it does not.
    """
    time_zone = kernel.settings.section("catalog", CatalogSettings).time_zone
    if not await kernel.db.fetchval(
        "select exists (select from pg_timezone_names where name = $1)", time_zone
    ):
        raise SettingsError(
            f"[catalog] time_zone: there is no time zone {time_zone!r}.",
            cure="Write an IANA name such as Asia/Shanghai or UTC.",
        )
