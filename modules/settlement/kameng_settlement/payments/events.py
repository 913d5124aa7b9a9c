"""The facts about payments that settlement publishes."""

from kameng.events import Event


class PaymentSucceeded(Event, frozen=True, kw_only=True):
    """Money came in for a payment. It is in the payer's wallet already, but for payments from a wallet.

    Attributes:
        payment, number: the payment's key and number.
        purpose, subject: what it was for, as the asker said.
        payer: whose wallet it is in.
        payer_kind: ``member`` or ``guest``.
        amount_minor, currency: how much.
        source: where it came in, as `kameng_settlement.contract.Receipt.source`.
        reference: what it is called there.
        memo: as the asker said. A receipt of this source, reference, payer, amount and memo is known already and harmless.
    """

    name = "settlement.payment_succeeded"
    payment: str
    number: str
    purpose: str
    subject: str
    payer: str
    payer_kind: str
    amount_minor: int
    currency: str
    source: str
    reference: str
    memo: str


class PaymentRefundSettled(Event, frozen=True, kw_only=True):
    """What became of a refund by a gateway is known.

    Attributes:
        refund, payment: keys.
        purpose, subject: of the payment.
        succeeded: whether the money has gone back; otherwise it is in the payer's wallet again.
        amount_minor, currency: how much.
    """

    name = "settlement.payment_refund_settled"
    refund: str
    payment: str
    purpose: str
    subject: str
    succeeded: bool
    amount_minor: int
    currency: str


class PaymentNeedsAttention(Event, frozen=True, kw_only=True):
    """A gateway said something of a payment that does not fit it; a person should look.

    Attributes:
        payment: its key; none where no payment is known by the number.
        account: the account as the ledger calls it, such as ``wechat:main``.
        number: our number, as the gateway said it.
        outcome: what is wrong, such as ``WRONG_AMOUNT`` or ``SURPLUS``.
        amount_minor, currency: as the gateway said; none where it did not.
    """

    name = "settlement.payment_needs_attention"
    payment: str | None
    account: str
    number: str
    outcome: str
    amount_minor: int | None
    currency: str | None
