"""Taking a picture in: what it is, by its content; as large as it may be; without what a camera writes into it; and small copies.

A picture is decoded and written anew, so nothing of the file but its pixels and colour profile is kept: no place where it was
taken, and nothing that hides behind or between them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from kameng_catalog.media.refusals import MediaRefused

FORMATS: Mapping[str, tuple[str, str]] = {
    "PNG": ("png", "image/png"),
    "JPEG": ("jpg", "image/jpeg"),
    "WEBP": ("webp", "image/webp"),
}
"""What is taken: the ending of its name and its media type."""

THUMBNAILS = (160, 320, 640, 1280)
"""Widths of the small copies; only those that are smaller than the picture are made."""

_QUALITY = 88
_SMALL_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept.

    Attributes:
        data: the file.
        content_hash: SHA-256 of it, in hexadecimal.
        extension, media_type: what it is.
        width, height: in pixels, upright.
        thumbnails: WebP files by their width.
    """

    data: bytes
    content_hash: str
    extension: str
    media_type: str
    width: int
    height: int
    thumbnails: Mapping[int, bytes]


def read_picture(file: BinaryIO, *, max_pixels: int, max_side: int) -> Picture:
    """Read a picture; takes time and memory, so it is called in a thread, one at a time.

    Args:
        file: from its start; its size is bounded by the uploads.
        max_pixels: width times height at most. They are known before anything is decoded.
        max_side: width or height at most.

    Raises:
        MediaRefused: it is no PNG, JPEG or WebP, is broken, moves, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=tuple(FORMATS)) as opened:
                return _taken(opened, max_pixels, max_side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(max_pixels) from error
    except UnidentifiedImageError as error:
        raise MediaRefused(
            "The file is no picture that can be read.",
            cure="Send a PNG, JPEG or WebP.",
            path=("input", "file"),
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise MediaRefused(
            "The picture is broken.", cure="Export it anew.", path=("input", "file")
        ) from error


def _taken(opened: Image.Image, max_pixels: int, max_side: int) -> Picture:
    if opened.width * opened.height > max_pixels or max(opened.size) > max_side:
        raise _too_large(max_pixels)
    if getattr(opened, "n_frames", 1) > 1:
        raise MediaRefused("The picture moves.", cure="Send one that stands still.", path=("input", "file"))
    kind = opened.format or ""
    profile = opened.info.get("icc_profile")
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    picture = upright.convert(_mode(upright, kind))
    picture.info.clear()
    data = _written(picture, kind, profile)
    extension, media_type = FORMATS[kind]
    return Picture(
        data=data,
        content_hash=sha256(data).hexdigest(),
        extension=extension,
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        thumbnails={width: _small(picture, width, profile) for width in THUMBNAILS if width < picture.width},
    )


def _mode(picture: Image.Image, kind: str) -> str:
    transparent = kind != "JPEG" and picture.has_transparency_data
    return "RGBA" if transparent else "RGB"


def _written(picture: Image.Image, kind: str, profile: bytes | None) -> bytes:
    out = io.BytesIO()
    options = {"quality": _QUALITY} if kind != "PNG" else {}
    picture.save(out, kind, icc_profile=profile, **options)
    return out.getvalue()


def _small(picture: Image.Image, width: int, profile: bytes | None) -> bytes:
    height = max(1, round(picture.height * width / picture.width))
    small = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=_SMALL_QUALITY, icc_profile=profile)
    return out.getvalue()


def _too_large(max_pixels: int) -> MediaRefused:
    return MediaRefused(
        f"The picture has too many pixels; at most {max_pixels:,} are taken.",
        cure="Make it smaller.",
        path=("input", "file"),
    )
