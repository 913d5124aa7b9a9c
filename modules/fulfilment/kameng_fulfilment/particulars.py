"""What a few orders bring along beside their lines: a cart, a guest, a note, an invoice. The ordinary purchase has none.

Everything about a person is sealed before the order's transaction begins, and bound to a row of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput
from kameng.graphql import LOCALES
from kameng.ids import new_id
from kameng_fulfilment.guests.contacts import Contact
from kameng_fulfilment.guests.secrets import new_secret, secret_place
from kameng_membership.contract import normal_email

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LONGEST_NOTE = 500
"""Characters of a buyer's note."""

LONGEST_TITLE = 200
"""Characters of an invoice's title."""

CONTACTS = "fulfilment.contacts"
"""The data keys that seal contacts, and the blind index that finds equal ones."""

PARTICULARS = "fulfilment.particulars"
"""The data keys that seal notes and invoices."""

_TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}")  # GB 32100-2015 has 18; older ones have 15, 17 or 20


class Invoice(msgspec.Struct, frozen=True):
    """What a buyer wants on his invoice.

    Attributes:
        title: a person's or a company's name.
        tax_number: the company's; empty for a person.
        email: where it is sent to.
    """

    title: str
    tax_number: str
    email: str


class Written(msgspec.Struct, frozen=True):
    """What a buyer wrote to an order.

    Attributes:
        note: for the shop; may be empty.
        invoice: if he wants one.
    """

    note: str = ""
    invoice: Invoice | None = None


class SealedWritten(msgspec.Struct, frozen=True):
    """The same, sealed for its row."""

    id: UUID
    sealed: bytes
    data_key: UUID


class SealedGuest(msgspec.Struct, frozen=True):
    """A guest's contact, sealed for its row, with the blind indexes of it and of his network address.

    ``secret`` is what will open his order, ``locale`` the language that he orders in.
    """

    id: UUID
    contact: Contact
    sealed: bytes
    data_key: UUID
    contact_mark: bytes
    address_mark: bytes | None
    secret: str
    sealed_secret: bytes
    locale: str

    def __repr__(self) -> str:
        return f"SealedGuest({self.id})"


class Particulars(msgspec.Struct, frozen=True, kw_only=True):
    """What an order brings along; nothing of its own where it only was placed on one of several sites.

    Attributes:
        cart: the cart that it orders, whose lines it takes out.
        guest: who orders without an account.
        written: what the buyer wrote.
        mark: equal for equal writings, since what is sealed never is.
    """

    cart: UUID | None = None
    guest: SealedGuest | None = None
    written: SealedWritten | None = None
    mark: bytes = b""

    @property
    def asked_for(self) -> bool:
        """Whether the buyer asked for any of it: what he did not ask for does not tell two requests apart."""
        return self.cart is not None or self.guest is not None or self.written is not None


def checked_note(text: str | None) -> str:
    """A buyer's note as it is kept.

    Raises:
        InvalidInput: it is too long, or holds control characters.
    """
    note = (text or "").strip()
    if len(note) > LONGEST_NOTE or any(ord(c) < 32 and c not in "\n\t" for c in note):
        raise InvalidInput(
            "This cannot be kept as a note.",
            cure=f"Write at most {LONGEST_NOTE} plain characters.",
            path=("input", "note"),
        )
    return note


def checked_invoice(title: str, tax_number: str | None, email: str) -> Invoice:
    """Invoice data as they are kept.

    Raises:
        InvalidInput: one of them cannot be used.
    """
    name = " ".join(title.split())
    if not 1 <= len(name) <= LONGEST_TITLE or not name.isprintable():
        raise _wrong_invoice(
            "title", "An invoice needs a title.", f"Write 1 to {LONGEST_TITLE} plain characters."
        )
    number = re.sub(r"[\s-]", "", tax_number or "").upper()
    if number and not _TAX_NUMBER.fullmatch(number):
        raise _wrong_invoice(
            "taxNumber", "This is no tax number.", "Write its 15 to 20 digits and letters, or leave it out."
        )
    try:
        address = normal_email(email)
    except InvalidInput as error:
        raise _wrong_invoice("email", error.message, error.cure) from None
    return Invoice(name, number, address)


def _wrong_invoice(field: str, message: str, cure: str) -> InvalidInput:
    return InvalidInput(message, cure=cure, path=("input", "invoice", field))


async def seal_written(kernel: Kernel, written: Written) -> tuple[SealedWritten | None, bytes]:
    """Seal what a buyer wrote; with its mark. Nothing where he wrote nothing."""
    if written == Written():
        return None, b""
    key, own = await kernel.vault.current_key(PARTICULARS), new_id()
    text = msgspec.json.encode(written)
    (sealed,) = await kernel.vault.seal_many(key, [(text, own.bytes)])
    return SealedWritten(own, sealed, key.id), kernel.vault.blind_index(PARTICULARS, text)


async def seal_guest(kernel: Kernel, contact: Contact, address: str, locale: str = LOCALES[0]) -> SealedGuest:
    """Seal a guest's contact, and draw the secret of his order."""
    key, own, secret = await kernel.vault.current_key(CONTACTS, 2), new_id(), new_secret()
    sealed, sealed_secret = await kernel.vault.seal_many(
        key, [(contact.value.encode(), own.bytes), (secret.encode(), secret_place(own))]
    )
    index = kernel.vault.blind_index
    return SealedGuest(
        id=own,
        contact=contact,
        sealed=sealed,
        data_key=key.id,
        contact_mark=index(CONTACTS, contact.text),
        address_mark=index("fulfilment.guest_addresses", address.encode()) if address else None,
        secret=secret,
        sealed_secret=sealed_secret,
        locale=locale,
    )
