"""Serving media over HTTP where nothing in front of us does: for as long as anybody likes to keep it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from litestar import Request, get
from litestar.response import Response

from kameng_catalog.media.stores import IMMUTABLE, Media

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_NAME = re.compile(r"[0-9a-f]{64}(-\d{2,4})?\.(png|jpg|webp)")
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


@get("/media/{name:str}", include_in_schema=False)
async def serve_media(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """A picture by its name."""
    if not _NAME.fullmatch(name):
        return Response(b"", status_code=404)
    etag = f'"{name}"'
    headers = {
        "Cache-Control": IMMUTABLE,
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers)
    kernel: Kernel = request.app.state.kernel
    data = await kernel.services.get(Media).store.get(name)
    if data is None:
        return Response(b"", status_code=404)
    return Response(data, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
