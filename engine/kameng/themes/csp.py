"""The Content Security Policy of pages, and the headers that go with it."""

from __future__ import annotations

import secrets

TRUSTED_TYPES_POLICY = "kameng"
"""The one Trusted Types policy that a theme's scripts may create."""


def new_nonce() -> str:
    """A nonce for one answer: 128 random bits."""
    return secrets.token_urlsafe(16)


def page_policy(nonce: str) -> str:
    """The policy of a page: nothing but what comes from this site, scripts by nonce only, no frames, no injection sinks.

    Modules that a script imports inherit its nonce. Styles may also come from this site's own files, since an ``@import``
    carries no nonce.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
            f"trusted-types {TRUSTED_TYPES_POLICY}",
        )
    )


ASSET_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The policy of an asset that somebody opens by itself: an SVG shows, but its scripts do not run."""


def page_headers(nonce: str, *, private: bool) -> list[tuple[str, str]]:
    """Headers of a page.

    Args:
        nonce: that of its policy.
        private: whether it shows what only this person may see, so that no copy is kept anywhere.
    """
    return [
        ("content-security-policy", page_policy(nonce)),
        ("cache-control", "private, no-store" if private else "private, no-cache"),
        ("cross-origin-opener-policy", "same-origin"),
        # A stricter one would make browsers send `Origin: null` with our own forms.
        ("referrer-policy", "same-origin"),
        ("vary", "Cookie, Accept-Language, Kameng-Block"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ]
