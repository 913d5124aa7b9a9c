"""What sites ask of others: somebody who keeps their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.graphql.uploads import UploadedFile
    from kameng.sites.look import Logo


class LogoStore(Protocol):
    """Keeps logos where the shop serves them. The module that has a media store provides it.

    It keeps them for as long as `kameng.sites.logos.logos_in_use` names them.
    """

    async def keep(self, context: Context, file: UploadedFile, *, most_side: int) -> Logo:
        """Decode a picture, write its pixels anew and keep them.

        Args:
            context: the request.
            file: as it was sent.
            most_side: width and height at most.

        Raises:
            Refusal: it is no picture, is broken or moves, or is too large.
        """
        ...
