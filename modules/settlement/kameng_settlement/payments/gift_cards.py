"""Gift cards that load a wallet: made by the staff, redeemed once, not to be guessed."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, NotFound
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.chart import GIFT_CARDS, house, wallet_of
from kameng_settlement.ledger import Entry, Ledger, Transfer
from kameng_settlement.payments.errors import GiftCardUnknown
from kameng_settlement.payments.loading_statements import (
    ADD_BATCH,
    ADD_GIFT_CARDS,
    CARDS_OF_BATCH,
    LOCK_GIFT_CARD,
    REDEEM_GIFT_CARD,
    VOID_GIFT_CARDS,
)
from kameng_settlement.settings import SettlementSettings

if TYPE_CHECKING:
    from kameng.graphql import Context

GIFT_CARD: Final = "gift_card"
"""The kind of ledger transaction by which a gift card loads a wallet."""

MOST_AT_ONCE: Final = 10_000
"""Cards of one batch."""

_DOMAIN: Final = "settlement.gift_card"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 16  # 80 random bits
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class BatchDraft(msgspec.Struct, frozen=True, kw_only=True):
    """Cards as somebody wants them.

    Attributes:
        name: for people.
        amount: what each card is worth.
        count: how many.
        expires_at: until when they can be redeemed; None: for ever.
    """

    name: str
    amount: Money
    count: int
    expires_at: datetime | None = None


class Redeemed(msgspec.Struct, frozen=True):
    """What a card has loaded."""

    amount: Money
    transaction: UUID


class GiftCardCode(msgspec.Struct, frozen=True):
    """A card with its code, for whoever may see it."""

    code: str
    state: str

    def __repr__(self) -> str:
        return f"GiftCardCode(state={self.state!r})"


async def make_batch(context: Context, draft: BatchDraft) -> UUID:
    """Make cards; returns the batch's key. Their codes are sealed, and read by `reveal_batch`.

    Raises:
        InvalidInput: a value is unusable.
    """
    kernel, name = context.kernel, draft.name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise InvalidInput("A name has 1 to 100 plain characters.", path=("input", "name"))
    if not 1 <= draft.count <= MOST_AT_ONCE:
        raise InvalidInput(f"A batch has 1 to {MOST_AT_ONCE} cards.", path=("input", "count"))
    if draft.amount.minor <= 0:
        raise InvalidInput("A card is worth more than zero.", path=("input", "amount"))
    if draft.expires_at is not None and draft.expires_at <= datetime.now(UTC):
        raise InvalidInput("Cards expire in the future.", path=("input", "expiresAt"))
    batch = new_id()
    async with context.db.transaction():
        data_key = await kernel.vault.new_key(f"settlement.gift_cards:{batch}")
        cards = [(new_id(), _new_code().encode()) for _ in range(draft.count)]
        sealed = await kernel.vault.seal_many(data_key, [(code, card.bytes) for card, code in cards])
        marks = await kernel.vault.blind_index_many(_DOMAIN, [code for _, code in cards])
        await context.db.execute(
            ADD_BATCH,
            batch,
            name,
            draft.amount.minor,
            draft.amount.currency,
            draft.count,
            draft.expires_at,
            data_key.id,
            context.principal.key,
        )
        await context.db.execute(ADD_GIFT_CARDS, batch, [card for card, _ in cards], marks, sealed)
        await kernel.audit.record(
            "settlement.gift_cards_made",
            principal=context.principal,
            subject=f"gift_card_batch:{batch}",
            details={
                "name": name,
                "count": draft.count,
                "amount_minor": draft.amount.minor,
                "currency": draft.amount.currency,
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return batch


async def reveal_batch(context: Context, batch: UUID, reason: str) -> list[GiftCardCode]:
    """The codes of a batch, with an entry in the audit log.

    Raises:
        InvalidInput: no reason.
        NotFound: there is no such batch.
    """
    why = _reason(reason)
    async with context.db.transaction():
        rows = await context.db.fetch(CARDS_OF_BATCH, batch)
        if not rows:
            raise NotFound("There is no such batch of gift cards.", cure="Check its id.")
        opened = await context.kernel.vault.open_many(
            [(row["data_key"], row["sealed"], row["id"].bytes) for row in rows]
        )
        await context.kernel.audit.record(
            "settlement.gift_cards_revealed",
            principal=context.principal,
            subject=f"gift_card_batch:{batch}",
            details={"count": len(rows), "reason": why},
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return [GiftCardCode(_shown(code.decode()), row["state"]) for row, code in zip(rows, opened, strict=True)]


async def void_batch(context: Context, batch: UUID, reason: str) -> int:
    """Void the cards of a batch that were not redeemed; how many.

    Raises:
        InvalidInput: no reason.
    """
    why = _reason(reason)
    async with context.db.transaction():
        voided = len(await context.db.fetch(VOID_GIFT_CARDS, batch))
        await context.kernel.audit.record(
            "settlement.gift_cards_voided",
            principal=context.principal,
            subject=f"gift_card_batch:{batch}",
            details={"voided": voided, "reason": why},
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return voided


async def redeem(context: Context, member: UUID, text: str) -> Redeemed:
    """Load a card into a member's wallet, once. The same member with the same code again gets the first answer.

    Tries count whether they find a card or not, and what is no code takes the same way as one.

    Raises:
        GiftCardUnknown: there is no such card, or it was redeemed by somebody else, has expired or is void.
        RateLimited: too many tries.
        UnavailableError: tries cannot be counted at the moment, so none is allowed.
    """
    kernel = context.kernel
    settings = kernel.settings.section("settlement", SettlementSettings)
    limiter = kernel.auth.limiter
    if context.address:
        limit = settings.gift_card_tries_per_address
        await limiter.check("gift_card", f"address:{context.address}", limit, closed=True)
    await limiter.check("gift_card", f"member:{member}", settings.gift_card_tries_per_member, closed=True)
    mark = kernel.vault.blind_index(_DOMAIN, _read(text).encode())
    async with context.db.transaction():
        row = await context.db.fetchrow(LOCK_GIFT_CARD, mark)
        if row is None:
            raise _unknown()
        amount = Money(row["amount_minor"], row["currency"])
        if row["state"] == "REDEEMED" and row["member"] == member:
            return Redeemed(amount, row["posted"])
        if row["state"] != "ISSUED" or row["expired"]:
            raise _unknown()
        ledger = kernel.services.get(Ledger)
        wallet, cards = wallet_of(member, amount.currency), house(GIFT_CARDS, amount.currency)
        accounts = await ledger.accounts.open((wallet, cards))
        transfer = Transfer(accounts[cards], accounts[wallet], amount.minor, amount.currency)
        entry = Entry(key=f"gift-card:{row['id']}", kind=GIFT_CARD, memo="gift card", transfers=(transfer,))
        posted = await ledger.post(entry)
        await context.db.execute(REDEEM_GIFT_CARD, row["id"], member, posted.transaction)
    return Redeemed(amount, posted.transaction)


def _reason(text: str) -> str:
    why = text.strip()
    if not 1 <= len(why) <= 500 or "\0" in why:
        raise InvalidInput("A reason has 1 to 500 plain characters.", path=("reason",))
    return why


def _new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _shown(code: str) -> str:
    return "-".join(code[place : place + 4] for place in range(0, _LENGTH, 4))


def _read(text: str) -> str:
    return text[:64].upper().translate(_READ_AS)


def _unknown() -> GiftCardUnknown:
    return GiftCardUnknown(
        "This gift card cannot be redeemed.",
        cure="Check the code; ask whoever gave it to you whether it was used, has expired or is void.",
        path=("input", "code"),
    )
