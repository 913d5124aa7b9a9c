"""The chart of accounts: which kinds of account there are, and how each behaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from kameng.errors import Fault, FaultsFound, InvalidInput

if TYPE_CHECKING:
    from kameng.module import Module

HOUSE = UUID(int=0)
"""The owner of accounts that belong to nobody but the shop."""


Section = Literal["asset", "liability", "equity", "income", "expense"]
"""The sections of the books."""


@dataclass(frozen=True, slots=True)
class AccountKind:
    """A kind of account. A module brings its own by `kameng.module.Module.contributes`.

    Attributes:
        code: stable, such as ``wallet``.
        owner_kind: whose accounts these are: ``member``, or ``house`` for the shop's own.
        normal_side: the side on which it grows: ``credit`` for what we owe and earn, ``debit`` for what we
            have and spend.
        bounded: whether its balance has a floor. Bounded accounts are locked and updated with each posting,
            so an account that many sales touch must not be bounded.
        title_en, title_zh: what an operator reads.
        section: of the books, as accountants part them; empty: an asset or a liability, as its side says.
    """

    code: str
    owner_kind: str
    normal_side: Literal["credit", "debit"]
    bounded: bool
    title_en: str
    title_zh: str
    section: Section | Literal[""] = ""


WALLET = AccountKind("wallet", "member", "credit", True, "Member's wallet", "会员钱包")
"""What we owe a member; its floor is zero until the operator grants a credit line."""

SALES = AccountKind("sales", "house", "credit", False, "Sales", "销售收入", "income")
"""What the shop has earned."""

OPERATOR_FUNDS = AccountKind("operator_funds", "house", "debit", False, "Operator's funds", "运营资金")
"""Where money is that staff has booked into wallets by hand."""

GATEWAY_FEES = AccountKind("gateway_fees", "house", "debit", False, "Gateways' fees", "支付手续费", "expense")
"""What gateways keep of the payments that they take in."""

PROMOTIONS = AccountKind("promotions", "house", "debit", False, "Promotions", "营销支出", "expense")
"""What was given to members on top of what they paid."""

GIFT_CARDS = AccountKind("gift_cards", "house", "credit", False, "Gift cards", "礼品卡")
"""What gift cards have loaded into wallets, against what was taken for them; below zero where they were given away."""

EXCHANGE = AccountKind("exchange", "house", "credit", False, "Currency exchange", "货币兑换", "equity")
"""Where money of one currency goes and that of another comes from; its balances are the open positions."""

SUSPENSE = AccountKind("suspense", "house", "credit", False, "Money to be clarified", "待查款项")
"""Money that a gateway has, or lacks, and nobody knows yet whose it is."""

DIFFERENCES = AccountKind(
    "differences", "house", "debit", False, "Differences with gateways", "对账差异", "expense"
)
"""What reconciliation wrote off; below zero where the shop gained by it."""

CHART: dict[str, AccountKind] = {
    kind.code: kind
    for kind in (
        WALLET,
        SALES,
        OPERATOR_FUNDS,
        GATEWAY_FEES,
        PROMOTIONS,
        GIFT_CARDS,
        EXCHANGE,
        SUSPENSE,
        DIFFERENCES,
    )
}
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


_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OWNER = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Chart:
    """The chart of accounts of a running shop: settlement's own kinds, and those that the modules bring.

    Args:
        kinds: all of them, by code.
    """

    def __init__(self, kinds: Mapping[str, AccountKind]) -> None:
        self._kinds = dict(kinds)

    @classmethod
    def of(cls, modules: Iterable[Module]) -> Chart:
        """The chart of a shop with these modules.

        Raises:
            FaultsFound: two kinds have one code, or a code or owner cannot be used.
        """
        kinds = dict(CHART)
        faults = []
        for module in modules:
            for kind in module.contributes.get(AccountKind, ()):
                if not isinstance(kind, AccountKind) or not _CODE.fullmatch(kind.code):
                    cure = "Name it by lower-case letters, digits and underscores, at most 40."
                    message = f"{getattr(kind, 'code', kind)!r} is no code of a kind of account."
                    faults.append(Fault("unusable_account_kind", module.name, message, cure))
                elif (kind.owner_kind == "member" and not kind.bounded) or not _OWNER.fullmatch(
                    kind.owner_kind
                ):
                    cure = "Name the owner's kind in lower case; accounts of members have a floor."
                    message = f"The accounts of kind {kind.code!r} cannot belong to {kind.owner_kind!r} so."
                    faults.append(Fault("unusable_account_kind", module.name, message, cure))
                elif kind.code in kinds:
                    message = f"There is a kind of account {kind.code!r} already."
                    cure = "Choose another code, such as one that begins with the module's name."
                    faults.append(Fault("duplicate_account_kind", module.name, message, cure))
                else:
                    kinds[kind.code] = kind
        if faults:
            raise FaultsFound(faults)
        return cls(kinds)

    @property
    def kinds(self) -> list[AccountKind]:
        """All kinds but those of single sources of payments, in the order of their codes."""
        return [self._kinds[code] for code in sorted(self._kinds)]

    def kind(self, code: str) -> AccountKind | None:
        """The kind of account behind a code; None where there is none."""
        return self._kinds.get(code) or kind_of(code)

    def title(self, code: str, locale: str) -> str:
        """A kind's name; its code where the chart does not know it (any more)."""
        known = self.kind(code)
        return code if known is None else known.title_zh if locale.startswith("zh") else known.title_en


def section_of(kind: AccountKind) -> Section:
    """The section of the books that a kind of account belongs to."""
    return kind.section or ("asset" if kind.normal_side == "debit" else "liability")


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
