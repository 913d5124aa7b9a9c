"""Seeing the secrets of cards: a permission of its own, and an entry in the audit log each time."""

from __future__ import annotations

import strawberry

from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Info, mutation, payload
from kameng.ids import key_of
from kameng_catalog.admin import statements
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.queries import number_of
from kameng_catalog.admin.reasons import reason_of
from kameng_catalog.admin.types import Card, card_id
from kameng_catalog.permissions import REVEAL_CARDS
from kameng_catalog.sealing import sealed_for

MOST_AT_ONCE = 100


@strawberry.input(description="Cards to see.")
class RevealCardsInput:
    """Cards to see."""

    cards: list[strawberry.ID] = strawberry.field(description=f"At most {MOST_AT_ONCE}.")
    reason: str = strawberry.field(description="Why; it stays in the audit log.")


@strawberry.type(description="A card with its secret.")
class RevealedCard:
    """A card with its secret."""

    card: Card
    secret: str


@payload()
class RevealCardsPayload:
    """The cards with their secrets, in the order asked for, or why they are not shown."""

    cards: list[RevealedCard] = strawberry.field(default_factory=list)


@strawberry.type
class CardsMutation:
    """Mutations on cards."""

    # A stored answer would be a secret in the clear. Each look is an entry of its own anyway.
    @mutation(idempotency="none")
    async def reveal_cards(self, info: Info, input: RevealCardsInput) -> RevealCardsPayload:  # noqa: A002 - GraphQL's name
        """Show the secrets of cards; who saw which, and why, goes into the audit log."""
        context = info.context
        context.require(REVEAL_CARDS)
        reason = reason_of(input.reason)
        if not 1 <= len(input.cards) <= MOST_AT_ONCE:
            raise InvalidInput(
                f"{len(input.cards)} cards cannot be shown at once.",
                cure=f"Ask for 1 to {MOST_AT_ONCE}.",
                path=("input", "cards"),
            )
        numbers = list(dict.fromkeys(number_of(key_of("Card", text)) for text in input.cards))
        rows = await context.db.fetch(statements.SEALED_CARDS, numbers)
        if len(rows) < len(numbers):
            raise NotFound("One of these cards does not exist.", path=("input", "cards"))
        # The entry is there before anybody sees a secret, whatever happens to the answer.
        async with context.db.transaction():
            await context.kernel.audit.record(
                "catalog.cards_revealed",
                principal=context.principal,
                subject=f"card:{numbers[0]}" if len(numbers) == 1 else "cards",
                details={"cards": [str(card_id(number)) for number in numbers], "reason": reason},
                correlation_id=context.correlation_id,
                address=context.address,
            )
        secrets = await context.kernel.vault.open_many(
            [(row["data_key"], row["sealed"], sealed_for(row["variant"], row["blind_index"])) for row in rows]
        )
        by_number = {row["id"]: secret.decode() for row, secret in zip(rows, secrets, strict=True)}
        cards = await admin_loaders(context).card.load_many(numbers)
        return RevealCardsPayload(
            cards=[
                RevealedCard(card=card, secret=by_number[number])
                for number, card in zip(numbers, cards, strict=True)
                if card is not None
            ]
        )
