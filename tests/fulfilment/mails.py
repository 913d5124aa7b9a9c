"""The two sides of a mail."""

from __future__ import annotations

from email.message import EmailMessage


def plain(mail: EmailMessage) -> str:
    """Its text."""
    return _part(mail, "plain")


def markup(mail: EmailMessage) -> str:
    """The same as HTML."""
    return _part(mail, "html")


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None, f"The mail has no part {kind}."
    content: str = part.get_content()
    return content
