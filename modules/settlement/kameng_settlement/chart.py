"""The chart of accounts: which kinds of account there are, and how each behaves."""

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from kameng.errors import InvalidInput

HOUSE = UUID(int=0)
"""The owner of accounts that belong to nobody but the shop."""


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A kind of account.

    Attributes:
        code: stable, such as ``wallet``.
        owner_kind: whose accounts these are: ``member``, or ``house`` for the shop's own.
        normal_side: the side on which it grows: ``credit`` for what we owe and earn, ``debit`` for what we
            have and spend.
        bounded: whether its balance has a floor. Bounded accounts are locked and updated with each posting,
            so an account that many sales touch must not be bounded.
        title_en, title_zh: what an operator reads.
    """

    code: str
    owner_kind: str
    normal_side: Literal["credit", "debit"]
    bounded: bool
    title_en: str
    title_zh: str


WALLET = AccountKind("wallet", "member", "credit", True, "Member's wallet", "会员钱包")
"""What we owe a member; its floor is zero until the operator grants a credit line."""

SALES = AccountKind("sales", "house", "credit", False, "Sales", "销售收入")
"""What the shop has earned."""

OPERATOR_FUNDS = AccountKind("operator_funds", "house", "debit", False, "Operator's funds", "运营资金")
"""Where money is that staff has booked into wallets by hand."""

CHART: dict[str, AccountKind] = {kind.code: kind for kind in (WALLET, SALES, OPERATOR_FUNDS)}
"""The kinds of account that every shop has, by code."""

_CLEARING = "clearing:"
_SOURCE = re.compile(r"[a-z][a-z0-9_]*(:[A-Za-z0-9_.-]+)?")

LONGEST_SOURCE = 64
"""Characters of a source's name."""


def clearing_of(source: str) -> AccountKind:
    """The kind of account that shows what a source owes us: money that buyers paid there and that has not reached our bank.

    Each source has its own, so that its bill can be compared with it.

    Args:
        source: such as ``manual`` or ``wechat:1900000109``.

    Raises:
        InvalidInput: it is no name of a source.
    """
    if len(source) > LONGEST_SOURCE or not _SOURCE.fullmatch(source):
        raise InvalidInput(
            f"{source[:LONGEST_SOURCE]!r} is no source of payments.",
            cure="Name it like `manual`, or the gateway and the account there like `wechat:1900000109`.",
        )
    return AccountKind(
        f"{_CLEARING}{source}", "house", "debit", False, f"Clearing with {source}", f"待清算:{source}"
    )


def kind_of(code: str) -> AccountKind | None:
    """The kind of account behind a code; None where there is none."""
    if code.startswith(_CLEARING):
        return clearing_of(code.removeprefix(_CLEARING))
    return CHART.get(code)


@dataclass(frozen=True, slots=True)
class Address:
    """How an account is found: its kind, its owner and its currency.

    Attributes:
        kind: an entry of the chart.
        owner: whose; `HOUSE` for the shop's own.
        currency: ISO 4217.
    """

    kind: AccountKind
    owner: UUID
    currency: str


def wallet_of(member: UUID, currency: str) -> Address:
    """The address of a member's wallet."""
    return Address(WALLET, member, currency)


def house(kind: AccountKind, currency: str) -> Address:
    """The address of one of the shop's own accounts."""
    return Address(kind, HOUSE, currency)
