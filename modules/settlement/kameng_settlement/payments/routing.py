"""Which account a payment goes to: what fits, in good health first, by priority, then by what it costs, then by weight."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from kameng.money import Money
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.accounts import StoredAccount, account_of
from kameng_settlement.payments.errors import GatewayUnknown
from kameng_settlement.payments.gateways import gateway
from kameng_settlement.payments.statements import ENABLED_ACCOUNTS

if TYPE_CHECKING:
    from kameng.kernel import Kernel

TOP_UP = "top_up"
"""The purpose of a payment that fills a wallet."""


class Way(msgspec.Struct, frozen=True):
    """A way to pay: a gateway and a flow."""

    gateway: str
    flow: Flow


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has to fit.

    Attributes:
        amount: what is to be paid.
        purpose: what for.
        payer_kind: ``member`` or ``guest``.
        site: its code; empty: the operator's own.
        manual_from_minor: the smallest amount that is paid by a transfer that people confirm.
    """

    amount: Money
    purpose: str
    payer_kind: str = "member"
    site: str = ""
    manual_from_minor: int = 0


Offer: TypeAlias = tuple[StoredAccount, tuple[Flow, ...]]
"""An account, with the ways to pay that it offers for something."""


async def enabled_accounts(kernel: Kernel) -> list[StoredAccount]:
    """The accounts that are offered to payers, in order of priority. One statement; there are few of them."""
    return [account_of(row) for row in await kernel.db.fetch(ENABLED_ACCOUNTS)]


def fitting(accounts: Sequence[StoredAccount], wanted: Wanted) -> list[Offer]:
    """Those of some accounts that take a payment, with the flows that each offers for it, in the same order."""
    found = []
    for account in accounts:
        if not _fits(account, wanted):
            continue
        try:
            offered = gateway(account.gateway).capabilities.flows
        except GatewayUnknown:
            continue
        flows = tuple(flow for flow in offered if _suits(flow, wanted))
        if flows:
            found.append((account, flows))
    return found


def _fits(account: StoredAccount, wanted: Wanted) -> bool:
    minor = wanted.amount.minor
    return (
        wanted.amount.currency in account.currencies
        and account.minimum_minor <= minor
        and (account.maximum_minor is None or minor <= account.maximum_minor)
        and (not account.sites or wanted.site in account.sites)
    )


def _suits(flow: Flow, wanted: Wanted) -> bool:
    if flow is Flow.BALANCE:
        # A wallet is not filled from itself, and a guest has none to pay from.
        return wanted.purpose != TOP_UP and wanted.payer_kind == "member"
    if flow is Flow.MANUAL:
        return wanted.amount.minor >= wanted.manual_from_minor
    return True


def ways(accounts: Sequence[Offer]) -> list[Way]:
    """The ways to pay that some accounts offer, the preferred one first, each once."""
    return list(dict.fromkeys(Way(account.gateway, flow) for account, flows in accounts for flow in flows))


def in_order(
    accounts: Sequence[StoredAccount], minor: int, now: datetime | None = None
) -> list[StoredAccount]:
    """The accounts in the order in which they are tried.

    Those that rest come last, the soonest rested first: they are tried where nothing else is left, so that a pause never
    refuses what could be paid. Among equals of priority and cost the weight decides how often each one is first.
    """
    moment = now or datetime.now(UTC)

    def rank(account: StoredAccount) -> tuple[bool, float, int, int, float]:
        resting = account.resting_until is not None and account.resting_until > moment
        until = account.resting_until.timestamp() if resting and account.resting_until else 0.0
        # The smallest of exponentially distributed numbers is each one's with a chance that follows its weight.
        draw = random.expovariate(account.weight)
        return resting, until, account.priority, account.fee_of(minor), draw

    return sorted(accounts, key=rank)
