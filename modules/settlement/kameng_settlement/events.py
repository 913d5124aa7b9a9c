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
