"""How a guest is reached: an e-mail address or a phone number, each in one way of writing."""

from __future__ import annotations

from typing import Literal

import msgspec
import phonenumbers

from kameng.errors import InvalidInput
from kameng_membership.contract import normal_email

LONGEST = 254
"""Characters of a contact."""


class Contact(msgspec.Struct, frozen=True):
    """A contact.

    Attributes:
        kind: what it is.
        value: the address in lower case, or the number as E.164.
    """

    kind: Literal["email", "phone"]
    value: str

    @property
    def text(self) -> bytes:
        """What its blind indexes are made of."""
        return f"{self.kind}:{self.value}".encode()

    @property
    def masked(self) -> str:
        """As others may see it."""
        if self.kind == "phone":
            return (
                f"{self.value[:-8]}****{self.value[-4:]}" if len(self.value) > 9 else f"****{self.value[-2:]}"
            )
        name, _, domain = self.value.partition("@")
        return f"{name[:1]}***@{domain}"


def read_contact(text: str, region: str = "CN", path: tuple[str, ...] = ("input", "contact")) -> Contact:
    """A contact as somebody typed it: with an ``@`` an e-mail address, else a phone number.

    Args:
        text: as typed.
        region: whose numbers are meant without a country's code, as ISO 3166 has it.
        path: the input's field, for the error.

    Raises:
        InvalidInput: it is neither.

    >>> read_contact("138 1234 5678").masked
    '+86138****5678'
    """
    try:
        if len(text) <= LONGEST and ("@" in text or "＠" in text):
            return Contact("email", normal_email(text))
        number = phonenumbers.parse(text[:LONGEST], region)
        if phonenumbers.is_valid_number(number):
            return Contact("phone", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    except (InvalidInput, phonenumbers.NumberParseException):
        pass
    raise InvalidInput(
        "This is neither an e-mail address nor a phone number.",
        cure="Write one such as name@example.com or 138 1234 5678.",
        path=path,
    )
