"""Payments at the back office's desk: searching them, transfers that wait for two persons, and asking gateways again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.errors import Conflict, NotFound
from kameng.graphql import Context, Info, Money, mutation, payload
from kameng.ids import global_id, key_of
from kameng.settings import ThemesSettings
from kameng_settlement.payments.accounts import StoredAccount, shown_settings
from kameng_settlement.payments.graphql.admin_types import MerchantAccountNode, OfficePayment, load_account
from kameng_settlement.payments.graphql.types import Payment, PaymentAttempt, PaymentState
from kameng_settlement.payments.opening import payment_by_number
from kameng_settlement.payments.permissions import READ_PAYMENTS
from kameng_settlement.payments.records import OPEN_STATES, note_history
from kameng_settlement.payments.searching import ASK_AGAIN, CONFIRMATIONS_OF, Wanted, conditions


@strawberry.input(description="Which payments; what is left out asks for nothing.")
class PaymentFilter:
    """Which payments."""

    search: str | None = strawberry.field(
        default=None,
        description="A number: of the payment, of a try, of the order, or the gateway's own. Whole numbers are found.",
    )
    state: PaymentState | None = None
    gateway: str | None = strawberry.field(default=None, description="By which somebody tried to pay it.")
    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="The merchant account at which somebody tried to pay it."
    )
    payer_id: strawberry.ID | None = None
    since: date | None = strawberry.field(default=None, description="The first day on which it was opened.")
    until: date | None = strawberry.field(default=None, description="The last one, included.")
    transfers: bool = strawberry.field(
        default=False, description="Only those that wait for somebody to see a transfer."
    )

    def asked(self) -> Wanted:
        """It in the words of payments."""
        return Wanted(
            search=self.search or "",
            state=None if self.state is None else str(self.state.value),
            gateway=self.gateway,
            account=key_of("MerchantAccount", self.account_id) if self.account_id else None,
            payer=key_of("Member", self.payer_id) if self.payer_id else None,
            since=self.since,
            until=self.until,
            transfers=self.transfers,
        )


def asked_payments(
    context: Context, wanted: PaymentFilter | None, **more: Any
) -> tuple[list[str], list[object]]:
    """Conditions on payments and their values; days are those of the shop's pages.

    Args:
        context: the request.
        wanted: the filter.
        more: of `Wanted`, where the filter leaves it out.
    """
    asked = wanted.asked() if wanted else Wanted()
    left = {name: value for name, value in more.items() if value is not None}
    zone = ZoneInfo(context.kernel.settings.section("themes", ThemesSettings).time_zone)
    return conditions(
        Wanted(**{**{name: getattr(asked, name) for name in Wanted.__struct_fields__}, **left}), zone
    )


@strawberry.type(description="That one of the staff has seen a transfer.")
class TransferConfirmation:
    """A confirmation."""

    person_id: strawberry.ID = strawberry.field(description="Who; a StaffMember.")
    mine: bool = strawberry.field(description="Whether it was you: a second person is needed.")
    amount: Money
    reference: str
    at: datetime


@strawberry.type
class DeskPayment(OfficePayment):
    """What the back office sees of a payment beside what its payer does."""

    @strawberry.field(description="Who of the staff has seen a transfer for it, in order.")
    async def confirmations(self, info: Info) -> list[TransferConfirmation]:
        """The confirmations."""
        payment = cast("Payment", self).stored
        rows = await info.context.loader(_CONFIRMED, _confirmed).load(payment.id)
        return [
            TransferConfirmation(
                person_id=strawberry.ID(global_id("StaffMember", row["person"])),
                mine=row["person"] == info.context.principal.id,
                amount=Money.of(money.Money(row["amount_minor"], row["currency"])),
                reference=row["reference"],
                at=row["at"],
            )
            for row in rows
        ]

    @strawberry.field(description="What of it can still go back; zero where it is not paid.")
    def refundable(self) -> Money:
        """What is left to give back."""
        stored = cast("Payment", self).stored
        left = stored.amount_minor - stored.refunded_minor if stored.state == "PAID" else 0
        return Money.of(money.Money(left, stored.currency))


@strawberry.type
class DeskAttempt:
    """What the back office sees of a try beside what its payer does."""

    @strawberry.field(description="The account that it was made at.")
    async def account(self, info: Info) -> MerchantAccountNode:
        """The account."""
        info.context.require(READ_PAYMENTS)
        attempt = cast("PaymentAttempt", self).stored
        return MerchantAccountNode.of(await load_account(info.context, attempt.account))

    @strawberry.field(description="The last that is known of it.")
    def note(self) -> str:
        """The note."""
        return cast("PaymentAttempt", self).stored.note

    @strawberry.field(description="When its gateway is asked next; null: it is not asked any more.")
    def asked_next_at(self) -> datetime | None:
        """When it is asked next."""
        return cast("PaymentAttempt", self).stored.next_at


@strawberry.type(description="A setting's value as a form shows it.")
class SettingText:
    """A setting's value as a text."""

    name: str
    entry: str | None = strawberry.field(description="Of a table: which entry it is the value of.")
    value: str = strawberry.field(description="Of a secret that is set: ***.")

    @classmethod
    def all_of(cls, shown: Mapping[str, Any]) -> list[SettingText]:
        """Settings without their secrets, as texts."""
        texts = []
        for name, value in shown.items():
            if isinstance(value, dict):
                texts += [cls(name=name, entry=entry, value=str(each)) for entry, each in value.items()]
            else:
                texts.append(cls(name=name, entry=None, value=_text(value)))
        return texts


@strawberry.type
class DeskAccount:
    """What the back office's forms need of an account with a gateway."""

    @strawberry.field(description="The settings as a form shows them; secrets are hidden.")
    async def values(self, info: Info) -> list[SettingText]:
        """The settings as texts."""
        info.context.require(READ_PAYMENTS)
        account = cast("MerchantAccountNode", self).stored
        return SettingText.all_of(await info.context.loader(_SHOWN, _shown).load(account))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(each) for each in value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@payload()
class AskGatewayAgainPayload:
    """The payment, about which its gateways are being asked."""

    payment: Payment | None = None


@strawberry.type
class DeskMutation:
    """Mutations of the desk."""

    @mutation
    async def ask_gateway_again(self, info: Info, number: str) -> AskGatewayAgainPayload:
        """Have the gateways asked at once what became of a payment; the answer comes within seconds."""
        context = info.context
        context.require(READ_PAYMENTS)
        async with context.db.transaction():
            payment = await payment_by_number(context.kernel, number)
            if payment is None:
                raise NotFound("There is no payment of this number.", cure="Check the number.")
            if not await context.db.fetch(ASK_AGAIN, payment.id):
                raise Conflict(
                    "No try of it is open at a gateway, so there is nothing to ask about.",
                    cure="What a gateway says by itself is taken in all the same.",
                    path=("number",),
                )
            if payment.state in OPEN_STATES:
                await note_history(
                    context.kernel,
                    payment.id,
                    payment.state,
                    payment.state,
                    context.principal.key,
                    "the gateway is asked again",
                )
        return AskGatewayAgainPayload(payment=Payment.of(payment))


_CONFIRMED, _SHOWN = object(), object()


def _shown(context: Context) -> DataLoader[StoredAccount, dict[str, Any]]:
    async def load(accounts: list[StoredAccount]) -> list[dict[str, Any]]:
        return await shown_settings(context.kernel, accounts)

    return DataLoader(load_fn=load, cache_key_fn=lambda account: account.id)


def _confirmed(context: Context) -> DataLoader[UUID, list[Mapping[str, Any]]]:
    async def load(keys: list[UUID]) -> list[list[Mapping[str, Any]]]:
        found: dict[UUID, list[Mapping[str, Any]]] = {key: [] for key in keys}
        for row in await context.db.fetch(CONFIRMATIONS_OF, keys):
            found[row["payment"]].append(row)
        return [found[key] for key in keys]

    return DataLoader(load_fn=load)
