"""Saved recipients as they are checked, sealed, kept and read."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import msgspec

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_membership.recipients.statements import (
    ADD_RECIPIENT,
    CHANGE_RECIPIENT,
    RECIPIENTS_OF,
    REMOVE_RECIPIENT,
    REMOVE_RECIPIENTS,
)
from kameng_membership.statements import LOCK_MEMBER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kameng.kernel import Kernel

MOST = 50
"""Recipients that one member may save."""

LONGEST_NAME = 40
LONGEST_VALUE = 100

Kind = Literal["PHONE", "GAME_ACCOUNT"]

_PHONE = re.compile(r"\+?[0-9]{5,20}")


class TooManyRecipients(Conflict):
    """A member has saved as many recipients as there is room for."""

    code = "TOO_MANY_RECIPIENTS"


class Particulars(msgspec.Struct, frozen=True, kw_only=True):
    """Who is topped up; all of it is sealed.

    Attributes:
        name: what the member calls it, such as "Mum".
        phone: of a phone, digits with the country's code or without.
        account: of a game account, its number or name in the game.
        region, server: of a game account, where the game asks for them; empty otherwise.
    """

    name: str
    phone: str = ""
    account: str = ""
    region: str = ""
    server: str = ""


class SavedRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """A saved recipient, opened for its member."""

    id: UUID
    kind: Kind
    particulars: Particulars
    created_at: datetime


def checked(kind: Kind, particulars: Particulars) -> Particulars:
    """What somebody typed as it is kept. Whether a number exists, the product's form finds out when it is bought.

    Raises:
        InvalidInput: a value is missing, too long or unusable.
    """
    name = _plain("name", particulars.name, LONGEST_NAME)
    if not name:
        raise _wrong("name", "A recipient needs a name.", "Call it as you think of it, such as Mum.")
    if kind == "PHONE":
        phone = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", particulars.phone))
        if not _PHONE.fullmatch(phone):
            raise _wrong("phone", "This is no phone number.", "Write its digits, such as 138 0013 8000.")
        return Particulars(name=name, phone=phone)
    account = _plain("account", particulars.account, LONGEST_VALUE)
    if not account:
        raise _wrong("account", "A game account needs its number or name.", "Look it up in the game.")
    region, server = (
        _plain(field, text, LONGEST_VALUE)
        for field, text in (("region", particulars.region), ("server", particulars.server))
    )
    return Particulars(name=name, account=account, region=region, server=server)


async def saved_recipients(kernel: Kernel, member: UUID) -> list[SavedRecipient]:
    """A member's recipients, the oldest first. One statement, and one for keys that this process has not met."""
    rows = await kernel.db.fetch(RECIPIENTS_OF, member, MOST)
    opened = await kernel.vault.open_many(
        [(row["data_key"], row["sealed"], _place(member, row["id"])) for row in rows]
    )
    return [
        SavedRecipient(
            id=row["id"],
            kind=row["kind"],
            particulars=msgspec.json.decode(text, type=Particulars),
            created_at=row["created_at"],
        )
        for row, text in zip(rows, opened, strict=True)
    ]


async def save_recipient(
    kernel: Kernel, member: UUID, kind: Kind, particulars: Particulars, recipient: UUID | None = None
) -> UUID:
    """Keep a new recipient, or change one; returns its key. The very same one is kept once, however often it is sent.

    Raises:
        InvalidInput: a value is unusable.
        NotFound: this member has no such recipient.
        TooManyRecipients: there is no room for another.
    """
    kept, own = checked(kind, particulars), recipient or new_id()
    async with kernel.db.transaction():
        key = await kernel.vault.current_key(scope_of(member))
        [sealed] = await kernel.vault.seal_many(key, [(msgspec.json.encode(kept), _place(member, own))])
        if recipient is None:
            await kernel.db.fetchrow(LOCK_MEMBER, member)
            for known in await saved_recipients(kernel, member):
                if (known.kind, known.particulars) == (kind, kept):
                    return known.id
            if await kernel.db.fetchval(ADD_RECIPIENT, own, member, kind, key.id, sealed, MOST) is None:
                raise TooManyRecipients(
                    f"You have saved {MOST} recipients, and there is no room for more.",
                    cure="Remove one that you no longer need.",
                )
        elif await kernel.db.fetchval(CHANGE_RECIPIENT, own, member, kind, key.id, sealed) is None:
            raise _no_recipient()
    return own


async def remove_recipient(kernel: Kernel, member: UUID, recipient: UUID) -> None:
    """Forget a recipient.

    Raises:
        NotFound: this member has no such recipient.
    """
    if await kernel.db.fetchval(REMOVE_RECIPIENT, recipient, member) is None:
        raise _no_recipient()


async def shred_recipients(kernel: Kernel, member: UUID) -> None:
    """Forget all recipients of a member, and destroy their key, so that they cannot be read in backups of the table either."""
    await kernel.db.execute(REMOVE_RECIPIENTS, member)
    await kernel.vault.shred(scope_of(member))


def scope_of(member: UUID) -> str:
    """The vault's scope for a member's recipients."""
    return f"membership.recipients:{member}"


def rows_of(recipients: Sequence[SavedRecipient]) -> list[dict[str, str]]:
    """Recipients as a member gets them in the copy of his data."""
    return [
        {
            "kind": saved.kind,
            **msgspec.to_builtins(saved.particulars),
            "savedAt": saved.created_at.isoformat(),
        }
        for saved in recipients
    ]


def _place(member: UUID, recipient: UUID) -> bytes:
    return member.bytes + recipient.bytes


def _plain(field: str, text: str, longest: int) -> str:
    kept = " ".join(unicodedata.normalize("NFC", text).split())
    if len(kept) > longest or not kept.isprintable():
        raise _wrong(field, "This cannot be kept.", f"Write at most {longest} plain characters.")
    return kept


def _wrong(field: str, message: str, cure: str) -> InvalidInput:
    return InvalidInput(message, cure=cure, path=("input", field))


def _no_recipient() -> NotFound:
    return NotFound("There is no such recipient among yours.", cure="Look at the list again.")
