"""Lists of orders that epay sites give out: JSON of their API, or the same columns as CSV.

Fields: ``trade_no``, ``out_trade_no``, ``money`` in yuan, ``status`` (1 paid, 0 not, others given back), ``addtime`` and
``endtime``. Sites tell no fee and no totals.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import msgspec
import polars as pl

from kameng_settlement.reconciliation.bills.cells import Cells
from kameng_settlement.reconciliation.bills.layout import Control, Layout
from kameng_settlement.reconciliation.faults import UnreadableBill
from kameng_settlement.reconciliation.normal import BillKind, RowKind, RowStatus

LARGEST_LIST = 256 << 20
"""Bytes of a JSON list, which is read as a whole; longer ones come as CSV."""

_COLUMNS = ("trade_no", "out_trade_no", "money", "status", "addtime", "endtime")

LAYOUT = Layout(
    name="epay-orders",
    title="易支付订单列表 / epay list of orders",
    kind=BillKind.TRADE,
    needed=_COLUMNS,
    zone="Asia/Shanghai",
    quoted=True,
)


class EpayOrders:
    """A list of orders."""

    layout = LAYOUT

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form. An order that was given back counts as paid: the site's list has no rows of refunds."""
        ended, added = cells.text("endtime"), cells.text("addtime")
        return {
            "kind": pl.lit(RowKind.PAYMENT.value),
            "number": cells.text("out_trade_no", needed=True),
            "reference": cells.text("trade_no", needed=True),
            "parent": pl.lit(""),
            "status": cells.one_of(
                "status", {"0": RowStatus.PENDING, "1": RowStatus.DONE}, other=RowStatus.DONE
            ),
            "currency": pl.lit("CNY"),
            "amount": cells.minor("money", "CNY"),
            "fee": pl.lit(None, dtype=pl.Int64),
            "at": cells.moment_of(
                "endtime",
                pl.when(ended != "").then(ended).otherwise(added),
                "%Y-%m-%d %H:%M:%S",
                LAYOUT.zone,
            ),
        }

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """Nothing: a list states no totals."""
        return {}

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """None."""
        return ()


def table_of(file: BinaryIO) -> BinaryIO:
    """The list as CSV, each order on a line of its own: JSON is rewritten, CSV is left as it is.

    Raises:
        UnreadableBill: JSON that is no list of orders, or one that is too long.
    """
    start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    file.seek(0)
    if start[:1] not in (b"{", b"["):
        return file
    content = file.read(LARGEST_LIST + 1)
    if len(content) > LARGEST_LIST:
        raise UnreadableBill(
            f"A JSON list has at most {LARGEST_LIST >> 20} MB.", cure="Send the list as CSV, or in days."
        )
    try:
        given = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
        orders = given.get("data") if isinstance(given, dict) else given
        if not isinstance(orders, list) or not all(isinstance(order, dict) for order in orders):
            raise msgspec.ValidationError("there is no list of orders under `data`")
    except msgspec.DecodeError as error:
        raise UnreadableBill(
            f"The file is no list of orders: {error}.", cure="Send the answer of the site's API as it came."
        ) from error
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for order in orders:
        # A number would have lost its last digits if it had been a float; the sites send texts.
        writer.writerow(["" if order.get(name) is None else str(order.get(name)) for name in _COLUMNS])
    return io.BytesIO(text.getvalue().encode())
