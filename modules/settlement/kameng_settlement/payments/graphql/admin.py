"""Payments in the back office: accounts with gateways, payments with their evidence, refunds, transfers."""

from __future__ import annotations

import base64
from uuid import UUID

import msgspec
import strawberry

from kameng.auth import PrincipalKind
from kameng.db import as_json
from kameng.errors import InvalidInput, NotFound
from kameng.graphql import LOCALES, Connection, Context, Info, mutation, payload
from kameng.graphql.exact import Long
from kameng.graphql.pages import Keyset, PageRequest
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.settings.fields import SettingTextInput, fields_of, values_of
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.payments.accounts import (
    AccountDraft,
    GatewaySettingsWrong,
    account_of,
    read_accounts,
    save_account,
    set_account_enabled,
)
from kameng_settlement.payments.errors import (
    ConfirmationDiffers,
    GatewayUnknown,
    NotRefundable,
    RefundExceedsPayment,
    SamePerson,
)
from kameng_settlement.payments.gateways import gateway, installed_gateways
from kameng_settlement.payments.graphql.admin_types import (
    GatewayInfo,
    MerchantAccountNode,
    PaymentObservation,
    PaymentRefund,
)
from kameng_settlement.payments.graphql.office import PaymentFilter, asked_payments
from kameng_settlement.payments.graphql.types import Payment, PaymentState
from kameng_settlement.payments.manual import confirm_transfer, open_proof, reject_transfer
from kameng_settlement.payments.opening import payment_by_number
from kameng_settlement.payments.permissions import (
    CONFIRM_TRANSFERS,
    MANAGE_GATEWAYS,
    READ_PAYMENTS,
    REFUND_PAYMENTS,
)
from kameng_settlement.payments.records import StoredPayment, payment_of
from kameng_settlement.payments.refunding import request_refund

ACCOUNTS = Keyset("merchant-accounts-newest", (("id", "uuid"),), descending=True)
PAYMENTS = Keyset("payments-newest", (("id", "uuid"),), descending=True)
EVIDENCE = Keyset("payment-evidence-newest", (("id", "uuid"),), descending=True)

LONGEST_KEY = 100
"""Characters of a client's idempotency key."""


@strawberry.type
class PaymentsAdminQuery:
    """Queries of the back office on payments. All need settlement.read_payments."""

    @strawberry.field(
        description="The gateways that installed packages bring. Needs settlement.read_payments."
    )
    def gateways(self, info: Info) -> list[GatewayInfo]:
        """The gateways."""
        info.context.require(READ_PAYMENTS)
        chinese = info.context.locale == LOCALES[0]
        found = []
        for name in installed_gateways():
            try:
                each = gateway(name)
            except GatewayUnknown:
                continue
            found.append(
                GatewayInfo(
                    name=name,
                    title=each.title.zh if chinese else each.title.en,
                    settings=as_json(msgspec.json.schema(each.settings)),
                    secrets=sorted(each.secrets),
                    fields=fields_of(each.settings, each.secrets),
                )
            )
        return found

    @strawberry.field(description="Accounts with gateways, the newest first. Needs settlement.read_payments.")
    async def merchant_accounts(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[MerchantAccountNode]:
        """A page of accounts."""
        info.context.require(READ_PAYMENTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(ACCOUNTS, 1)
        rows = await info.context.db.fetch(
            f"select * from settlement_merchant_account where {behind} {tail}", *cursor
        )
        return page.connection(
            rows, ACCOUNTS, lambda row: [row["id"]], lambda row: MerchantAccountNode.of(account_of(row))
        )

    @strawberry.field(description="Payments, the newest first. Needs settlement.read_payments.")
    async def payments(
        self,
        info: Info,
        state: PaymentState | None = None,
        payer_id: strawberry.ID | None = None,
        filter: PaymentFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Payment]:
        """A page of payments."""
        info.context.require(READ_PAYMENTS)
        conditions, values = asked_payments(
            info.context,
            filter,
            state=state and str(state.value),
            payer=key_of("Member", payer_id) if payer_id else None,
        )
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(PAYMENTS, len(values) + 1)
        rows = await info.context.db.fetch(
            f"select * from settlement_payment where {' and '.join(conditions)} and {behind} {tail}",
            *values,
            *cursor,
        )
        return page.connection(
            rows, PAYMENTS, lambda row: [row["id"]], lambda row: Payment.of(payment_of(row))
        )

    @strawberry.field(description="The payment of a number. Needs settlement.read_payments.")
    async def payment_by_number(self, info: Info, number: str) -> Payment | None:
        """A payment."""
        info.context.require(READ_PAYMENTS)
        found = await payment_by_number(info.context.kernel, number)
        return None if found is None else Payment.of(found)

    @strawberry.field(
        description="What gateways said that does not fit, the newest first. Needs settlement.read_payments."
    )
    async def payment_evidence(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[PaymentObservation]:
        """A page of evidence."""
        info.context.require(READ_PAYMENTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(EVIDENCE, 1)
        rows = await info.context.db.fetch(
            f"""select * from settlement_payment_observation
                where outcome not in ('PAID', 'PENDING', 'CLOSED', 'FAILED', 'REPEATED') and {behind} {tail}""",
            *cursor,
        )
        return page.connection(rows, EVIDENCE, lambda row: [row["id"]], PaymentObservation.of)


@strawberry.input(description="An account with a gateway as it is wanted.")
class MerchantAccountInput:
    """An account with a gateway as it is wanted."""

    gateway: str = strawberry.field(description="A name from gateways; stays what it is.")
    code: str = strawberry.field(description="What the ledger calls it; stays what it is.")
    name: str
    merchant: str = strawberry.field(description="What the gateway calls the shop.")
    settings: str = strawberry.field(
        default="{}",
        description="JSON in the gateway's form; kept encrypted. Of an account that is there: what changes.",
    )
    values: list[SettingTextInput] = strawberry.field(
        default_factory=list, description="The same as texts, as a form gives them; they go before settings."
    )
    currencies: list[str] = strawberry.field(default_factory=lambda: ["CNY"])
    sites: list[str] = strawberry.field(
        default_factory=list,
        description="Codes of the sites whose payments it takes; none: all. The empty one is the operator's own.",
    )
    minimum_minor: Long = Long(1)
    maximum_minor: Long | None = None
    fee_ppm: int = 0
    fee_fixed_minor: int = 0
    priority: int = 100
    weight: int = 1
    timeout_seconds: int = 15

    def draft(self) -> AccountDraft:
        """The draft.

        Raises:
            GatewaySettingsWrong: the settings are no JSON object.
            GatewayUnknown: no installed package brings the gateway.
            InvalidInput: a text is no value of its setting.
        """
        try:
            settings = msgspec.json.decode(self.settings, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise GatewaySettingsWrong(
                "The settings are no JSON object.",
                cure="Write them as the gateway's JSON Schema says.",
                path=("input", "settings"),
            ) from error
        if self.values:
            found = gateway(self.gateway)
            settings |= values_of(found.settings, found.secrets, self.values, ("input", "values"))
        return AccountDraft(
            gateway=self.gateway,
            code=self.code,
            name=self.name,
            merchant=self.merchant,
            settings=settings,
            currencies=self.currencies,
            sites=self.sites,
            minimum_minor=self.minimum_minor,
            maximum_minor=self.maximum_minor,
            fee_ppm=self.fee_ppm,
            fee_fixed_minor=self.fee_fixed_minor,
            priority=self.priority,
            weight=self.weight,
            timeout_seconds=self.timeout_seconds,
        )


@payload(GatewayUnknown, GatewaySettingsWrong)
class SaveMerchantAccountPayload:
    """The account, or why it was not saved."""

    account: MerchantAccountNode | None = None


@payload()
class SetMerchantAccountEnabledPayload:
    """The account."""

    account: MerchantAccountNode | None = None


@strawberry.input(description="A payment, or a part of it, to give back by its gateway.")
class RefundPaymentInput:
    """A payment to give back."""

    number: str
    amount: MoneyInput
    reason: str = strawberry.field(description="Why; the payer may read it.")


@payload(NotRefundable, RefundExceedsPayment, InsufficientFunds)
class RefundPaymentPayload:
    """The refund, or why there is none."""

    refund: PaymentRefund | None = None
    payment: Payment | None = None


@strawberry.input(description="A transfer that came in.")
class ConfirmTransferInput:
    """A transfer that came in."""

    number: str = strawberry.field(description="The payment's number.")
    amount: MoneyInput = strawberry.field(description="What came in; both persons have to say the same.")
    reference: str = strawberry.field(description="What the bank calls the transfer.")


@payload(SamePerson, ConfirmationDiffers)
class ConfirmTransferPayload:
    """The payment, or why it was not confirmed."""

    payment: Payment | None = None
    outcome: str | None = strawberry.field(
        default=None, description="PAID, or what does not fit. Null: it waits for a second person."
    )


@payload()
class RejectTransferPayload:
    """The payment."""

    payment: Payment | None = None


@payload()
class OpenTransferProofPayload:
    """What the payer has shown."""

    media_type: str | None = None
    content: str | None = strawberry.field(default=None, description="In base 64.")


@strawberry.type
class PaymentsAdminMutation:
    """Mutations of the back office on payments."""

    @mutation
    async def save_merchant_account(
        self,
        info: Info,
        input: MerchantAccountInput,  # noqa: A002 - GraphQL's name
        id: strawberry.ID | None = None,  # noqa: A002 - GraphQL's name
    ) -> SaveMerchantAccountPayload:
        """Make an account with a gateway, or change the one of this id. A new one is not enabled yet."""
        context = info.context
        context.require(MANAGE_GATEWAYS)
        key = await save_account(context, input.draft(), key_of("MerchantAccount", id) if id else None)
        return SaveMerchantAccountPayload(account=await _account(context, key))

    @mutation
    async def set_merchant_account_enabled(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        enabled: bool,
    ) -> SetMerchantAccountEnabledPayload:
        """Offer an account to payers, or no more. Payments that were begun there go on."""
        context = info.context
        context.require(MANAGE_GATEWAYS)
        key = key_of("MerchantAccount", id)
        await set_account_enabled(context, key, enabled=enabled)
        return SetMerchantAccountEnabledPayload(account=await _account(context, key))

    @mutation(idempotency="own")
    async def refund_payment(self, info: Info, input: RefundPaymentInput) -> RefundPaymentPayload:  # noqa: A002 - GraphQL's name
        """Give a payment or a part of it back by its gateway, out of the payer's wallet. Needs an idempotency key."""
        context = info.context
        context.require(REFUND_PAYMENTS)
        payment = await _payment(context, input.number)
        key, reason = context.idempotency_key or "", input.reason.strip()
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidInput(
                "This needs an idempotency key.",
                cure=f"Send one of 1 to {LONGEST_KEY} characters, such as a UUID.",
                path=("idempotencyKey",),
            )
        if not 1 <= len(reason) <= 80 or not reason.isprintable():
            raise InvalidInput("A reason has 1 to 80 plain characters.", path=("input", "reason"))
        amount = input.amount.parsed()
        async with context.db.transaction():
            refund = await request_refund(
                context.kernel,
                payment.id,
                amount,
                key=f"{context.principal.key}:{key}",
                reason=reason,
                actor=context.principal.key,
            )
            await context.kernel.audit.record(
                "settlement.payment_refund_requested",
                principal=context.principal,
                subject=f"payment:{payment.id}",
                details={
                    "refund": refund.number,
                    "amount_minor": amount.minor,
                    "currency": amount.currency,
                    "reason": reason,
                },
                correlation_id=context.correlation_id,
                address=context.address,
            )
        now = await _payment(context, input.number)
        return RefundPaymentPayload(refund=PaymentRefund.of(refund), payment=Payment.of(now))

    @mutation
    async def confirm_transfer(self, info: Info, input: ConfirmTransferInput) -> ConfirmTransferPayload:  # noqa: A002 - GraphQL's name
        """Say that a transfer came in. Once two different persons have said the same, it counts."""
        context = info.context
        context.require(CONFIRM_TRANSFERS)
        person = context.principal.require_kind(PrincipalKind.STAFF)
        payment = await _payment(context, input.number)
        observed = await confirm_transfer(
            context, payment, input.amount.parsed(), input.reference.strip(), person
        )
        return ConfirmTransferPayload(
            payment=Payment.of(await _payment(context, input.number)),
            outcome=None if observed is None else observed.outcome.value,
        )

    @mutation
    async def reject_transfer(self, info: Info, number: str, reason: str) -> RejectTransferPayload:
        """Wait no more for a transfer that did not come."""
        context = info.context
        context.require(CONFIRM_TRANSFERS)
        payment = await _payment(context, number)
        await reject_transfer(context, payment, reason)
        return RejectTransferPayload(payment=Payment.of(payment))

    @mutation(idempotency="none")
    async def open_transfer_proof(self, info: Info, id: strawberry.ID) -> OpenTransferProofPayload:  # noqa: A002 - GraphQL's name
        """Look at what a payer has shown of a transfer; each look stays in the audit log."""
        info.context.require(CONFIRM_TRANSFERS)
        media_type, content = await open_proof(info.context, key_of("TransferProof", id))
        return OpenTransferProofPayload(media_type=media_type, content=base64.b64encode(content).decode())


async def _payment(context: Context, number: str) -> StoredPayment:
    found = await payment_by_number(context.kernel, number)
    if found is None:
        raise NotFound("There is no such payment.", cure="Check its number.")
    return found


async def _account(context: Context, key: UUID) -> MerchantAccountNode | None:
    found = (await read_accounts(context.kernel, [key])).get(key)
    return None if found is None else MerchantAccountNode.of(found)
