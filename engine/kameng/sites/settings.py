"""The section ``[sites]`` of ``kameng.toml``."""

from __future__ import annotations

from typing import Annotated

import msgspec


class SitesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[sites]``.

    Attributes:
        preview_hours: for how long a link to a draft shows it.
        read_again_seconds: after how long a process asks whether sites have changed, though nobody told it.
        logo_bytes, logo_side: how large the file of a logo may be, and the larger of its width and height in pixels.
    """

    preview_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 30)] = 24
    read_again_seconds: Annotated[float, msgspec.Meta(ge=1, le=3_600)] = 60.0
    logo_bytes: Annotated[int, msgspec.Meta(ge=1_000, le=20_000_000)] = 1_000_000
    logo_side: Annotated[int, msgspec.Meta(ge=16, le=8_000)] = 2_000
