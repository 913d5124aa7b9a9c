"""Entity tags of pages."""

from __future__ import annotations

from hashlib import blake2b


def tag_of(text: str, nonce: str) -> str:
    """A weak entity tag of a page: equal for pages that differ by their nonce alone."""
    return f'W/"{blake2b(text.replace(nonce, "-").encode(), digest_size=16).hexdigest()}"'
