"""The facts that settlement publishes."""

from kameng.events import Event


class WalletCredited(Event, frozen=True, kw_only=True):
    """Money came into a wallet by hand of the staff.

    Attributes:
        member: whose wallet.
        amount_minor, currency: how much.
        transaction: the ledger transaction.
    """

    name = "settlement.wallet_credited"
    member: str
    amount_minor: int
    currency: str
    transaction: str


class TransactionReversed(Event, frozen=True, kw_only=True):
    """A ledger transaction was taken back.

    Attributes:
        transaction: the one that was taken back.
        reversal: the one that does it.
    """

    name = "settlement.transaction_reversed"
    transaction: str
    reversal: str


class HoldExpired(Event, frozen=True, kw_only=True):
    """Money that was held for too long is free again.

    Attributes:
        hold: which.
        key: the idempotency key under which it was placed.
        amount_minor, currency: how much.
    """

    name = "settlement.hold_expired"
    hold: str
    key: str
    amount_minor: int
    currency: str


class LedgerNotWhole(Event, frozen=True, kw_only=True):
    """The nightly check of the ledger found something wrong. Nothing was adjusted.

    Attributes:
        check: the check's key.
        found: how many things are wrong.
        first: the first of them, for people.
    """

    name = "settlement.ledger_not_whole"
    check: str
    found: int
    first: str
