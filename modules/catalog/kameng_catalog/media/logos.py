"""Logos of sites, kept beside the pictures of products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.sites.look import Logo
from kameng_catalog.media.keeping import kept
from kameng_catalog.media.stores import file_name, thumbnail_name

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.graphql.uploads import UploadedFile
    from kameng.kernel import Kernel

MOST_WIDTH = 640
"""A logo is shown small: of one that is wider, the small copy of this width is shown."""

_MOST_PIXELS = 4_000_000


class CatalogLogos:
    """Fulfils `kameng.sites.LogoStore` by the media store.

    Args:
        kernel: the kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def keep(self, context: Context, file: UploadedFile, *, most_side: int) -> Logo:
        """See `kameng.sites.LogoStore.keep`.

        Raises:
            MediaRefused: see `read_picture`.
        """
        async with kept(context, file, max_pixels=_MOST_PIXELS, max_side=most_side) as (_, picture):
            if picture.width <= MOST_WIDTH:
                name = file_name(picture.content_hash, picture.extension)
                return Logo(name, picture.width, picture.height)
            height = max(1, round(picture.height * MOST_WIDTH / picture.width))
            return Logo(thumbnail_name(picture.content_hash, MOST_WIDTH), MOST_WIDTH, height)
