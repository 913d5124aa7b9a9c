"""What payments and refunds do to the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.errors import Refusal
from kameng.money import Money
from kameng_settlement.chart import GATEWAY_FEES, clearing_of, house, wallet_of
from kameng_settlement.contract import Receipt, Receipts
from kameng_settlement.ledger import Entry, Ledger, Transfer

if TYPE_CHECKING:
    from kameng.kernel import Kernel

GATEWAY_FEE: Final = "gateway_fee"
"""The kind of ledger transaction by which a gateway keeps its fee."""

PAYMENT_REFUND: Final = "payment_refund"
"""The kind by which money leaves a wallet to go back through the gateway that it came in by."""

SET_ASIDE: Final = "payment_set_aside"
"""The kind by which a payment from a wallet leaves the wallet, until whoever asked for it takes it in."""


async def take_in(kernel: Kernel, source: str, reference: str, payer: UUID, amount: Money, memo: str) -> UUID:
    """Put money that a gateway has into the payer's wallet; the ledger transaction. Inside a transaction.

    Raises:
        Refusal: the reference was used for something else, or cannot be kept.
    """
    (answer,) = await kernel.services.get(Receipts).receive(
        [Receipt(source=source, reference=reference, member=payer, amount=amount, memo=memo)]
    )
    if isinstance(answer, Refusal):
        raise answer
    return answer.transaction


async def post_fee(kernel: Kernel, source: str, reference: str, fee: Money, memo: str) -> None:
    """Book what a gateway keeps of a payment. Inside a transaction; nothing where it keeps nothing."""
    if fee.minor <= 0:
        return
    ledger = kernel.services.get(Ledger)
    clearing, fees = house(clearing_of(source), fee.currency), house(GATEWAY_FEES, fee.currency)
    accounts = await ledger.accounts.open((clearing, fees))
    transfer = Transfer(accounts[fees], accounts[clearing], fee.minor, fee.currency)
    await ledger.post(
        Entry(key=f"gateway-fee:{source}:{reference}", kind=GATEWAY_FEE, memo=memo, transfers=(transfer,))
    )


async def take_out(
    kernel: Kernel, source: str, payer: UUID, amount: Money, key: str, memo: str, kind: str = PAYMENT_REFUND
) -> UUID:
    """Take money out of a wallet, to a gateway's account; the ledger transaction. Inside a transaction.

    Raises:
        InsufficientFunds: the wallet holds less.
        Conflict: the key was used for something else.
    """
    ledger = kernel.services.get(Ledger)
    wallet, clearing = wallet_of(payer, amount.currency), house(clearing_of(source), amount.currency)
    accounts = await ledger.accounts.open((wallet, clearing))
    transfer = Transfer(accounts[wallet], accounts[clearing], amount.minor, amount.currency)
    posted = await ledger.post(Entry(key=key, kind=kind, memo=memo, transfers=(transfer,)))
    return posted.transaction


async def put_back(kernel: Kernel, transaction: UUID, key: str, memo: str) -> UUID:
    """Put money back into the wallet that `take_out` took it from; the ledger transaction. Inside a transaction."""
    return (await kernel.services.get(Ledger).reverse(transaction, key=key, memo=memo)).transaction
