"""The journal in the language of beancount, with the ledger's balances as assertions.

Whoever runs ``bean-check`` on the file has all postings added up by a program that knows nothing of ours, and compared with
what our accounts say, to the last minor unit. Amounts above zero are debits, as beancount has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from kameng.money import Money
from kameng_settlement.chart import HOUSE, Chart, section_of
from kameng_settlement.exporting.reading import EVER, ExportAccount
from kameng_settlement.periods import Period

_ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}
_OPENING = "Equity:Opening-Balances"
_UNFIT = re.compile(r"[^A-Za-z0-9-]+")


class BeancountBook:
    """Writes the lines of a book.

    Args:
        accounts: all that there are; their names in the book are unique, whatever they are called here.
        chart: what the kinds of account are.
    """

    def __init__(self, accounts: Sequence[ExportAccount], chart: Chart) -> None:
        self.accounts = accounts
        self._chart = chart
        self._names: dict[UUID, str] = {}
        taken: set[tuple[str, str]] = set()
        for account in accounts:
            name = self._name(account)
            if (name, account.currency) in taken:  # two sources that differ in what no name can hold
                name = f"{name}-{account.id}"
            taken.add((name, account.currency))
            self._names[account.id] = name

    def begin(self, period: Period, opening: Mapping[UUID, int], first: datetime) -> Iterator[str]:
        """The head of the book: its accounts, and what they had before the period.

        Args:
            period: what of the journal follows.
            opening: debits minus credits of each account before it.
            first: the moment of the first transaction that follows.
        """
        day = min(first, period.since if period.since > EVER.since else first).astimezone(UTC).date()
        day -= timedelta(days=1)
        yield 'option "title" "Kameng"\n'
        for currency in sorted({account.currency for account in self.accounts}):
            yield f'option "operating_currency" "{currency}"\n'
        currencies: dict[str, list[str]] = {}
        for account in self.accounts:
            currencies.setdefault(self._names[account.id], []).append(account.currency)
        for name, held in sorted(currencies.items()):
            yield f"{day} open {name} {','.join(sorted(held))}\n"
        carried = [account for account in self.accounts if opening.get(account.id)]
        if carried:
            yield f"{day} open {_OPENING}\n"
        for account in carried:
            amount = self._amount(opening[account.id], account.currency)
            yield f'\n{day} * "opening balance"\n  {self._names[account.id]} {amount}\n  {_OPENING}\n'

    def transactions(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Transactions of rows that belong together; each has all of its postings in them."""
        for _, group in groupby(rows, key=lambda row: row["id"]):
            postings = list(group)
            head = postings[0]
            text = [
                f"\n{head['posted_at'].astimezone(UTC).date()} * {_quoted(head['kind'])} {_quoted(head['memo'])}",
                f"  transaction: {_quoted(str(head['id']))}",
                f"  key: {_quoted(head['key'])}",
                f"  effective: {head['effective_at'].astimezone(UTC).date()}",
            ]
            if head["reverses"]:
                text.append(f"  reverses: {_quoted(str(head['reverses']))}")
            for row in postings:
                text.append(
                    f"  {self._names[row['debit_account']]} {self._amount(row['amount'], row['currency'])}"
                )
                text.append(
                    f"  {self._names[row['credit_account']]} {self._amount(-row['amount'], row['currency'])}"
                )
            yield "\n".join(text) + "\n"

    def end(self, closing: Mapping[UUID, int], last: date) -> Iterator[str]:
        """The assertions: what each account has after all of it, without any tolerance.

        Args:
            closing: debits minus credits of each account.
            last: the day of the last transaction.
        """
        yield "\n"
        for account in self.accounts:
            amount = Money(closing.get(account.id, 0), account.currency).amount
            yield f"{last + timedelta(days=1)} balance {self._names[account.id]} {amount:f} ~ 0 {account.currency}\n"

    def _name(self, account: ExportAccount) -> str:
        kind = self._chart.kind(account.kind)
        root = _ROOTS[section_of(kind)] if kind else _side(account)
        parts = [_component(part) for part in account.kind.split(":")]
        if account.owner_id != HOUSE:
            parts.append(f"{account.owner_kind.capitalize()}-{account.owner_id}")
        return ":".join([root, *parts])

    @staticmethod
    def _amount(minor: int, currency: str) -> str:
        return f"{Money(minor, currency).amount:f} {currency}"


def _side(account: ExportAccount) -> str:
    return "Assets" if account.normal_side == "debit" else "Liabilities"


def _component(text: str) -> str:
    """A part of a name: words in capitals, nothing else than letters, digits and dashes."""
    words = [word for word in _UNFIT.sub(" ", text.replace("_", " ")).split() if word]
    return "-".join(word[0].upper() + word[1:] for word in words) or "X"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
