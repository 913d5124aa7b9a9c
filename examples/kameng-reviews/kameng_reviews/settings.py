"""Section ``[reviews]`` of ``kameng.toml``."""

from typing import Annotated

import msgspec


class ReviewsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a review may be.

    Attributes:
        longest_text: characters of a review's text at most.
    """

    longest_text: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 2_000
