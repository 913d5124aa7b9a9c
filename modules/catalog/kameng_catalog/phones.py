"""Phone numbers for top-ups, by Google's metadata as the library `phonenumbers` has it.

A number's prefix tells the carrier that it was given out by; a number that was taken along to another carrier keeps its prefix.
So a carrier is refused only where the prefix names another one, and the refusal says so.
"""

from __future__ import annotations

import phonenumbers

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Regions that have phone numbers, as ISO 3166 has them."""

CARRIERS = frozenset({"China Mobile", "China Unicom", "China Telecom", "China Broadnet"})
"""Carriers that a form may insist on."""


class PhoneWrong(ValueError):
    """A text is no number that can be topped up.

    Attributes:
        message: what is wrong.
        cure: what to do.
    """

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


def checked_phone(text: str, region: str, carriers: tuple[str, ...] = ()) -> str:
    """A mobile number as E.164, such as ``+8613812345678``.

    Args:
        text: the number as somebody wrote it, with spaces, dashes, and with or without the country's code.
        region: whose numbers are meant without a country's code.
        carriers: whose numbers are taken; any carrier's if it is empty.

    Raises:
        PhoneWrong: no number, not a mobile one, or another carrier's.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneWrong("This is no phone number.", "Check the digits.") from error
    if not phonenumbers.is_valid_number(number):
        raise PhoneWrong("There is no such phone number.", "Check the digits.")
    kind = phonenumbers.number_type(number)
    if kind not in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE):
        raise PhoneWrong("This is not a mobile number.", "Give a mobile number.")
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if carriers:
        found = _carrier(written)
        if found and found not in carriers:
            raise PhoneWrong(
                f"This number belongs to {found}; this top-up is for {' or '.join(carriers)}.",
                "Choose the top-up of the number's carrier.",
            )
    return written


def _carrier(number: str) -> str:
    from phonenumbers import carrier  # some megabytes of prefixes, for shops that ask for carriers

    return carrier.name_for_number(phonenumbers.parse(number), "en")
