"""Reasons that the staff gives for what it does."""

from kameng.errors import InvalidInput
from kameng_catalog.admin.inputs import checked
from kameng_catalog.importing import cells

LONGEST_REASON = 500
"""Characters of a reason that has to be given; it stays in the audit log or the stock's movements."""

LONGEST_SHORT_REASON = 200
"""Characters of one that may be left out; it stands in the history of prices and in jobs."""


def reason_of(text: str) -> str:
    """A reason that stays.

    Raises:
        InvalidInput: there is none, or it is too long.
    """
    reason = text.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise InvalidInput(
            "A reason is needed.", cure=f"Write 1 to {LONGEST_REASON} characters.", path=("input", "reason")
        )
    return reason


def short_reason(text: str) -> str:
    """A reason that may be left out.

    Raises:
        InvalidInput: it is too long, or cannot be kept as it is.
    """
    return checked("reason", lambda given: cells.plain(given, LONGEST_SHORT_REASON), text)
