"""The known formats of bills, and how a file of one is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import BinaryIO

from kameng.errors import InvalidInput
from kameng_settlement.reconciliation.bills.alipay import AlipayTrade
from kameng_settlement.reconciliation.bills.described import Described, check_description
from kameng_settlement.reconciliation.bills.epay import EpayOrders, table_of
from kameng_settlement.reconciliation.bills.layout import BillFormat
from kameng_settlement.reconciliation.bills.reading import BillReader
from kameng_settlement.reconciliation.bills.stripe import StripeBalance
from kameng_settlement.reconciliation.bills.unpacking import unpacked
from kameng_settlement.reconciliation.bills.wechat import WechatFunds, WechatTrade
from kameng_settlement.reconciliation.description import Description

_KNOWN: dict[str, Callable[[], BillFormat]] = {
    "wechat-trade": WechatTrade,
    "wechat-funds": WechatFunds,
    "alipay-trade": AlipayTrade,
    "stripe-balance": StripeBalance,
    "epay-orders": EpayOrders,
}

FORMATS = tuple(_KNOWN)
"""Their names."""


def format_of(name: str, description: Description | None = None) -> BillFormat:
    """What reads a format.

    Args:
        name: of a known format, or of a description.
        description: given where the name is that of a description.

    Raises:
        InvalidInput: there is no such format, or the description cannot be used.
    """
    if description is not None:
        return Described(name, check_description(description))
    if name not in _KNOWN:
        raise InvalidInput(
            f"There is no format of bills {name[:40]!r}.",
            cure=f"Known are {', '.join(FORMATS)}, and those that were described.",
            path=("input", "format"),
        )
    return _KNOWN[name]()


@contextmanager
def open_bill(file: BinaryIO, form: BillFormat, day: date | None = None) -> Iterator[BillReader]:
    """A bill, whatever it is wrapped in.

    Args:
        file: at its start; stays open.
        form: what reads it.
        day: of the bill; None: that of its first row.

    Raises:
        UnreadableBill: it is damaged.
    """
    with unpacked(file, form.layout.is_member) as plain:
        table = table_of(plain) if isinstance(form, EpayOrders) else plain
        yield BillReader(table, form, day)
