"""What may be wrong with a bill, or with what is asked of one."""

from __future__ import annotations

from kameng.errors import Conflict, InvalidInput

_LONGEST_SHOWN = 60


class UnreadableBill(InvalidInput):
    """The file is no bill of its format, or is damaged.

    Args:
        what: what is wrong, in one sentence.
        cure: what to do about it.
        line: the line of the file, from 1; 0 where no single one is meant.
        column: the column's name in the file; empty where the line or the whole file is meant.

    Attributes:
        line, column, what: as given.
    """

    code = "BILL_UNREADABLE"

    def __init__(self, what: str, *, cure: str, line: int = 0, column: str = "") -> None:
        self.line, self.column, self.what = line, column, what
        place = f"Line {line}" + (f", column {column}" if column else "") if line else ""
        super().__init__(f"{place}: {what}" if place else what, cure=cure, path=("input", "file"))


class BillTotalsDiffer(UnreadableBill):
    """The rows of a bill do not add up to the totals that it states itself, so it is not whole."""

    code = "BILL_TOTALS_DIFFER"


class BillOfAnotherDay(UnreadableBill):
    """A bill has rows of another day than it was said to be of."""

    code = "BILL_OF_ANOTHER_DAY"


class BillDiffers(Conflict):
    """There is another bill for this account, day and kind."""

    code = "BILL_DIFFERS"


class BillMissing(Conflict):
    """The day cannot be compared, since its bill was not imported."""

    code = "BILL_MISSING"


class CaseSettled(Conflict):
    """The case was resolved before, otherwise."""

    code = "CASE_SETTLED"


class CaseTaken(Conflict):
    """Somebody else works on the case."""

    code = "CASE_TAKEN"


class ActionUnfit(InvalidInput):
    """The action cannot settle a case of this kind."""

    code = "CASE_ACTION_UNFIT"


def shown(text: object) -> str:
    """A value of a file as a message quotes it."""
    plain = str(text)
    return repr(plain if len(plain) <= _LONGEST_SHOWN else plain[: _LONGEST_SHOWN - 1] + "…")
