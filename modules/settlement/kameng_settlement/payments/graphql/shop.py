"""Payments in the shop: beginning to pay, filling a wallet, watching what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Context, Info, mutation, payload
from kameng.graphql import Money as MoneyShown
from kameng.graphql.scalars import MoneyInput
from kameng.graphql.uploads import UploadedFile
from kameng.money import Money
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.payments.errors import (
    GatewaysUnreachable,
    GiftCardUnknown,
    NoWayToPay,
    PaymentOver,
)
from kameng_settlement.payments.gift_cards import redeem
from kameng_settlement.payments.graphql.types import (
    Payment,
    PaymentAttempt,
    PaymentFlow,
    PaymentWay,
    flow_of,
    ways_shown,
)
from kameng_settlement.payments.manual import add_proof
from kameng_settlement.payments.opening import payment_by_number
from kameng_settlement.payments.records import StoredPayment, payment_topic
from kameng_settlement.payments.routing import Offer, Wanted, enabled_accounts, fitting
from kameng_settlement.payments.sites import site_of
from kameng_settlement.payments.starting import Choice, start
from kameng_settlement.payments.top_ups import open_top_up
from kameng_settlement.settings import SettlementSettings
from kameng_settlement.types import Wallet, load_wallet

PURCHASE = "purchase"
"""The purpose of something that is not ordered yet."""

LONGEST_KEY = 100
"""Characters of a client's idempotency key."""


@strawberry.input(description="How to pay something.")
class StartPaymentInput:
    """How to pay something."""

    number: str = strawberry.field(description="The payment's number.")
    gateway: str = strawberry.field(description="One of the payment's ways.")
    flow: PaymentFlow
    method: str = strawberry.field(
        default="", description="A choice inside the gateway, such as alipay or h5; empty: its own."
    )
    return_path: str = strawberry.field(
        default="",
        description="The shop's page that the browser comes back to, such as /orders/7QK2M9XVD4T8C.",
    )
    payer_reference: str = strawberry.field(
        default="", description="Who the payer is to the gateway, such as an openid."
    )


@payload(PaymentOver, NoWayToPay, GatewaysUnreachable, InsufficientFunds)
class StartPaymentPayload:
    """What to go on with, or why not."""

    payment: Payment | None = None
    attempt: PaymentAttempt | None = None


@strawberry.input(description="Money to fill one's wallet with.")
class TopUpInput:
    """Money to fill one's wallet with."""

    amount: MoneyInput


@payload()
class TopUpPayload:
    """The payment to begin, or why there is none."""

    payment: Payment | None = None


@strawberry.input(description="A gift card to redeem.")
class RedeemGiftCardInput:
    """A gift card to redeem."""

    code: str = strawberry.field(description="As it is printed; case, spaces and dashes do not matter.")


@payload(GiftCardUnknown)
class RedeemGiftCardPayload:
    """What the card has loaded, or why it was not redeemed."""

    amount: MoneyShown | None = None
    wallet: Wallet | None = None


@strawberry.input(description="A picture or document that shows a transfer.")
class AddTransferProofInput:
    """A picture or document that shows a transfer."""

    number: str = strawberry.field(description="The payment's number.")
    file: UploadedFile = strawberry.field(description="A PNG, a JPEG or a PDF of at most 5 MB.")


@payload()
class AddTransferProofPayload:
    """The payment, or why the proof was not kept."""

    payment: Payment | None = None


async def own_payment(context: Context, number: str) -> StoredPayment:
    """The payment of a number, if it is the viewer's.

    A guest's is whoever's who knows its number: 125 random bits that only he was told, and that no gateway is.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    payment = await payment_by_number(context.kernel, number)
    if payment is not None and payment.payer_kind == "guest":
        return payment
    member = context.principal.require_kind(PrincipalKind.MEMBER)
    if payment is None or payment.payer != member:
        raise NotFound(
            "There is no such payment among yours.", cure="Check the number, or log in as its payer."
        )
    return payment


@strawberry.type
class PaymentsQuery:
    """Queries of the shop."""

    @strawberry.field(description="A payment of yours; null where there is none of this number.")
    async def payment(self, info: Info, number: str) -> Payment | None:
        """A payment of the viewer's."""
        try:
            return Payment.of(await own_payment(info.context, number))
        except NotFound:
            return None

    @strawberry.field(
        description="The ways in which you could pay an amount as things stand, the preferred one first; without an amount those "
        "that take any amount at all. Empty: none."
    )
    async def payment_ways(self, info: Info, amount: MoneyInput | None = None) -> list[PaymentWay]:
        """Before there is an order, so that whoever checks out knows what he can choose from."""
        context = info.context
        settings = context.kernel.settings.section("settlement", SettlementSettings)
        accounts = await enabled_accounts(context.kernel)
        member = context.principal.kind is PrincipalKind.MEMBER

        def asked(money: Money) -> Wanted:
            return Wanted(
                amount=money,
                purpose=PURCHASE,
                payer_kind="member" if member else "guest",
                site=site_of(context),
                manual_from_minor=settings.manual_from_minor,
            )

        if amount is not None:
            return ways_shown(context, fitting(accounts, asked(amount.parsed())))
        offers: list[Offer] = []
        for account in accounts:
            least = max(account.minimum_minor, settings.manual_from_minor, 1)
            most = least if account.maximum_minor is None else min(least, account.maximum_minor)
            offers += fitting([account], asked(Money(most, account.currencies[0])))
        return ways_shown(context, offers)


@strawberry.type
class PaymentsMutation:
    """Mutations of the shop."""

    @mutation(idempotency="none")
    async def start_payment(self, info: Info, input: StartPaymentInput) -> StartPaymentPayload:  # noqa: A002 - GraphQL's name
        """Begin to pay something of yours. The same way again gives the same code to pay by, as long as it holds."""
        context = info.context
        payment = await own_payment(context, input.number)
        settings = context.kernel.settings.section("settlement", SettlementSettings)
        await context.kernel.auth.limiter.check(
            "start_payment", str(payment.payer), settings.payment_starts, closed=False
        )
        attempt = await start(
            context.kernel,
            payment,
            Choice(
                gateway=input.gateway[:20],
                flow=flow_of(input.flow),
                method=_plain("method", input.method, 20),
                return_url=_address(context, input.return_path),
                client_ip=context.address,
                payer_reference=_plain("payerReference", input.payer_reference, 128),
                locale=context.locale,
            ),
        )
        now = await own_payment(context, input.number)
        return StartPaymentPayload(payment=Payment.of(now), attempt=PaymentAttempt.of(attempt))

    @mutation(idempotency="own")
    async def top_up(self, info: Info, input: TopUpInput) -> TopUpPayload:  # noqa: A002 - GraphQL's name
        """Open a payment that fills your wallet; begin it by startPayment. Needs an idempotency key; repeating is harmless."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        key = context.idempotency_key or ""
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidInput(
                "This needs an idempotency key.",
                cure=f"Send one of 1 to {LONGEST_KEY} characters, such as a UUID.",
                path=("idempotencyKey",),
            )
        return TopUpPayload(
            payment=Payment.of(await open_top_up(context, member, input.amount.parsed(), key))
        )

    @mutation(idempotency="none")
    async def redeem_gift_card(self, info: Info, input: RedeemGiftCardInput) -> RedeemGiftCardPayload:  # noqa: A002 - GraphQL's name
        """Load a gift card into your wallet, once. Tries are counted."""
        context = info.context
        member: UUID = context.principal.require_kind(PrincipalKind.MEMBER)
        redeemed = await redeem(context, member, input.code)
        return RedeemGiftCardPayload(
            amount=MoneyShown.of(redeemed.amount),
            wallet=await load_wallet(context, member, redeemed.amount.currency),
        )

    @mutation(idempotency="none")
    async def add_transfer_proof(
        self,
        info: Info,
        input: AddTransferProofInput,  # noqa: A002 - GraphQL's name
    ) -> AddTransferProofPayload:
        """Show that you have made a transfer. The same file again is harmless."""
        payment = await own_payment(info.context, input.number)
        await add_proof(info.context, payment, input.file)
        return AddTransferProofPayload(payment=Payment.of(payment))


@strawberry.type
class PaymentsSubscription:
    """Subscriptions of the shop."""

    @strawberry.subscription(
        description="A payment of yours: as it stands now, then each time it has changed. Refused at once if there is none."
    )
    async def payment_changed(self, info: Info, number: str) -> AsyncGenerator[Payment, None]:
        """A payment of the viewer's as it changes."""
        return _watch(info.context, await own_payment(info.context, number))


async def _watch(context: Context, payment: StoredPayment) -> AsyncGenerator[Payment, None]:
    async with context.kernel.live.subscribe(payment_topic(payment.number)) as signals:
        # Read only now: what changes from here on is signalled.
        last = await payment_by_number(context.kernel, payment.number)
        if last is not None:
            yield Payment.of(last)
        async for _ in signals:
            now = await payment_by_number(context.kernel, payment.number)
            if now is not None and now != last:
                last = now
                yield Payment.of(now)


def _plain(field: str, text: str, longest: int) -> str:
    if len(text) > longest or not text.isprintable():
        raise InvalidInput(f"This has at most {longest} plain characters.", path=("input", field))
    return text


def _address(context: Context, path: str) -> str:
    """The shop's page as an address. No other site's: the gateway would send the payer there."""
    if not path:
        return ""
    if (
        len(path) > 500
        or not path.startswith("/")
        or path.startswith(("//", "/\\"))
        or not path.isprintable()
    ):
        raise InvalidInput(
            "The page to come back to is one of the shop.",
            cure="Give its path, such as /orders.",
            path=("input", "returnPath"),
        )
    return f"{context.kernel.settings.public_url}{path}"
