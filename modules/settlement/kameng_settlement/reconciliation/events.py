"""The facts about reconciliation that settlement publishes."""

from kameng.events import Event


class CasesFound(Event, frozen=True, kw_only=True):
    """A run found differences between a bill and what was recorded.

    Attributes:
        reconciliation: its key.
        account: as the ledger calls it, such as ``wechat:main``.
        day: whose bill; ISO 8601.
        opened: how many new cases there are of each difference, such as ``missing_theirs``.
    """

    name = "settlement.reconciliation_cases_found"
    reconciliation: str
    account: str
    day: str
    opened: dict[str, int]


class BillNotFetched(Event, frozen=True, kw_only=True):
    """A bill that a gateway hands out could not be had, or not be read.

    Attributes:
        account: as the ledger calls it.
        day: whose bill; ISO 8601.
        kind: ``trade`` or ``funds``.
        code: what is wrong; stays the same while nothing changes.
        message: it, for people.
        cure: what to do.
    """

    name = "settlement.bill_not_fetched"
    account: str
    day: str
    kind: str
    code: str
    message: str
    cure: str
