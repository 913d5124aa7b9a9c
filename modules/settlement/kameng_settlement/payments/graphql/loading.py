"""Bonuses on top-ups and gift cards in the back office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import strawberry

from kameng import money
from kameng.auth import StepUpRequired
from kameng.errors import InvalidInput
from kameng.graphql import Connection, Context, Info, Money, Node, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.graphql.scalars import MoneyInput
from kameng.ids import global_id, key_of
from kameng_settlement.payments.gift_cards import BatchDraft, make_batch, reveal_batch, void_batch
from kameng_settlement.payments.loading_statements import BATCHES, BONUSES
from kameng_settlement.payments.permissions import (
    MANAGE_GIFT_CARDS,
    MANAGE_TOP_UPS,
    READ_PAYMENTS,
    REVEAL_GIFT_CARDS,
)
from kameng_settlement.payments.top_ups import BonusDraft, add_bonus, set_bonus_enabled

BATCHES_NEWEST: Final = Keyset("gift-card-batches-newest", (("id", "uuid"),), descending=True)
BONUSES_NEWEST: Final = Keyset("top-up-bonuses-newest", (("id", "uuid"),), descending=True)

FRESH: Final = timedelta(minutes=10)
"""How long ago somebody may have proved who he is, where codes are shown."""


@strawberry.type(description="Who tops up by so much gets so much more.")
class TopUpBonus(Node):
    """A bonus."""

    name: str
    from_: Money = strawberry.field(name="from", description="The smallest top-up that it applies to.")
    percent_ppm: int = strawberry.field(description="Millionths of the top-up.")
    fixed: Money
    most: Money | None = strawberry.field(description="What it gives at most.")
    once_per_member: bool
    enabled: bool
    starts_at: datetime
    ends_at: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> TopUpBonus:
        """A row of ``settlement_top_up_bonus`` as GraphQL shows it."""
        most = None if row["most_minor"] is None else _money(row["most_minor"], row["currency"])
        return cls(
            id=strawberry.ID(global_id("TopUpBonus", row["id"])),
            name=row["name"],
            from_=_money(row["from_minor"], row["currency"]),
            percent_ppm=row["percent_ppm"],
            fixed=_money(row["fixed_minor"], row["currency"]),
            most=most,
            once_per_member=row["once_per_member"],
            enabled=row["enabled"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
        )


@strawberry.type(description="Gift cards that were made together.")
class GiftCardBatch(Node):
    """A batch of gift cards."""

    name: str
    amount: Money = strawberry.field(description="What each card is worth.")
    count: int
    redeemed: int
    void: int
    expires_at: datetime | None
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> GiftCardBatch:
        """A row of `BATCHES` as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("GiftCardBatch", row["id"])),
            name=row["name"],
            amount=_money(row["amount_minor"], row["currency"]),
            count=row["cards"],
            redeemed=row["redeemed"],
            void=row["void"],
            expires_at=row["expires_at"],
            created_by=row["created_by"],
            created_at=row["created_at"],
        )


@strawberry.input(description="A bonus on top-ups as it is wanted.")
class AddTopUpBonusInput:
    """A bonus as it is wanted."""

    name: str
    from_: MoneyInput = strawberry.field(name="from")
    percent_ppm: int = 0
    fixed: MoneyInput | None = None
    most: MoneyInput | None = None
    once_per_member: bool = False
    starts_at: datetime | None = strawberry.field(default=None, description="Null: now.")
    ends_at: datetime | None = None

    def draft(self) -> BonusDraft:
        """The draft.

        Raises:
            InvalidInput: the amounts are of several currencies.
        """
        least = self.from_.parsed()
        fixed = self.fixed.parsed() if self.fixed else money.Money(0, least.currency)
        most = self.most.parsed() if self.most else None
        if {least.currency, fixed.currency, (most or least).currency} != {least.currency}:
            raise InvalidInput("A bonus is of one currency.", path=("input", "fixed"))
        return BonusDraft(
            name=self.name,
            currency=least.currency,
            from_minor=least.minor,
            percent_ppm=self.percent_ppm,
            fixed_minor=fixed.minor,
            most_minor=None if most is None else most.minor,
            once_per_member=self.once_per_member,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@payload()
class AddTopUpBonusPayload:
    """The bonus, or why it was not made."""

    bonus: TopUpBonus | None = None


@payload()
class SetTopUpBonusEnabledPayload:
    """The bonus."""

    bonus: TopUpBonus | None = None


@strawberry.input(description="Gift cards as they are wanted.")
class MakeGiftCardsInput:
    """Gift cards as they are wanted."""

    name: str
    amount: MoneyInput = strawberry.field(description="What each card is worth.")
    count: int = strawberry.field(description="At most 10,000.")
    expires_at: datetime | None = None


@payload()
class MakeGiftCardsPayload:
    """The batch, or why it was not made. Its codes are shown by revealGiftCards."""

    batch: GiftCardBatch | None = None


@payload(StepUpRequired)
class RevealGiftCardsPayload:
    """The codes of a batch, in order, or why they are not shown."""

    codes: list[str] | None = None


@payload()
class VoidGiftCardsPayload:
    """How many cards are void now."""

    voided: int | None = None
    batch: GiftCardBatch | None = None


@strawberry.type
class LoadingAdminQuery:
    """Queries of the back office on what fills wallets. All need settlement.read_payments."""

    @strawberry.field(description="Bonuses on top-ups, the newest first. Needs settlement.read_payments.")
    async def top_up_bonuses(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[TopUpBonus]:
        """A page of bonuses."""
        info.context.require(READ_PAYMENTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(BONUSES_NEWEST, 1)
        rows = await info.context.db.fetch(
            f"select * from settlement_top_up_bonus where {behind} {tail}", *cursor
        )
        return page.connection(rows, BONUSES_NEWEST, lambda row: [row["id"]], TopUpBonus.of)

    @strawberry.field(
        description="Batches of gift cards, the newest first, without codes. Needs settlement.read_payments."
    )
    async def gift_card_batches(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[GiftCardBatch]:
        """A page of batches."""
        info.context.require(READ_PAYMENTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(BATCHES_NEWEST, 1)
        keys = await info.context.db.fetch(
            f"select id from settlement_gift_card_batch where {behind} {tail}", *cursor
        )
        found = {row["id"]: row for row in await info.context.db.fetch(BATCHES, [row["id"] for row in keys])}
        rows = [found[row["id"]] for row in keys]
        return page.connection(rows, BATCHES_NEWEST, lambda row: [row["id"]], GiftCardBatch.of)


@strawberry.type
class LoadingAdminMutation:
    """Mutations of the back office on what fills wallets."""

    @mutation
    async def add_top_up_bonus(self, info: Info, input: AddTopUpBonusInput) -> AddTopUpBonusPayload:  # noqa: A002 - GraphQL's name
        """Give a bonus on top-ups. Bonuses are not changed: disable one and make another."""
        info.context.require(MANAGE_TOP_UPS)
        key = await add_bonus(info.context, input.draft())
        return AddTopUpBonusPayload(bonus=(await _bonuses(info.context, [key]))[0])

    @mutation
    async def set_top_up_bonus_enabled(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        enabled: bool,
    ) -> SetTopUpBonusEnabledPayload:
        """Give this bonus from now on, or no more."""
        info.context.require(MANAGE_TOP_UPS)
        key = key_of("TopUpBonus", id)
        await set_bonus_enabled(info.context, key, enabled=enabled)
        return SetTopUpBonusEnabledPayload(bonus=(await _bonuses(info.context, [key]))[0])

    @mutation
    async def make_gift_cards(self, info: Info, input: MakeGiftCardsInput) -> MakeGiftCardsPayload:  # noqa: A002 - GraphQL's name
        """Make gift cards."""
        info.context.require(MANAGE_GIFT_CARDS)
        draft = BatchDraft(
            name=input.name, amount=input.amount.parsed(), count=input.count, expires_at=input.expires_at
        )
        key = await make_batch(info.context, draft)
        return MakeGiftCardsPayload(batch=(await _batches(info.context, [key]))[0])

    @mutation(idempotency="none")
    async def reveal_gift_cards(
        self,
        info: Info,
        batch_id: strawberry.ID,
        reason: str,
    ) -> RevealGiftCardsPayload:
        """Show the codes of a batch. Needs a fresh proof (confirmPassword); each look and its reason stay in the audit log."""
        info.context.require(REVEAL_GIFT_CARDS)
        info.context.principal.require_step_up(FRESH)
        cards = await reveal_batch(info.context, key_of("GiftCardBatch", batch_id), reason)
        return RevealGiftCardsPayload(codes=[card.code for card in cards])

    @mutation
    async def void_gift_cards(self, info: Info, batch_id: strawberry.ID, reason: str) -> VoidGiftCardsPayload:
        """Void the cards of a batch that were not redeemed."""
        info.context.require(MANAGE_GIFT_CARDS)
        key = key_of("GiftCardBatch", batch_id)
        voided = await void_batch(info.context, key, reason)
        return VoidGiftCardsPayload(voided=voided, batch=(await _batches(info.context, [key]))[0])


async def _bonuses(context: Context, keys: Sequence[UUID]) -> list[TopUpBonus | None]:
    found = {row["id"]: TopUpBonus.of(row) for row in await context.db.fetch(BONUSES, list(keys))}
    return [found.get(key) for key in keys]


async def _batches(context: Context, keys: Sequence[UUID]) -> list[GiftCardBatch | None]:
    found = {row["id"]: GiftCardBatch.of(row) for row in await context.db.fetch(BATCHES, list(keys))}
    return [found.get(key) for key in keys]


async def bonus_nodes(context: Context, keys: Sequence[UUID]) -> list[TopUpBonus | None]:
    """Bonuses for ``node(id:)``."""
    return await _bonuses(context, keys) if context.principal.may(READ_PAYMENTS) else [None] * len(keys)


async def batch_nodes(context: Context, keys: Sequence[UUID]) -> list[GiftCardBatch | None]:
    """Batches for ``node(id:)``."""
    return await _batches(context, keys) if context.principal.may(READ_PAYMENTS) else [None] * len(keys)


def _money(minor: int, currency: str) -> Money:
    return Money.of(money.Money(minor, currency))
