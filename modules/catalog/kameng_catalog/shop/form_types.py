"""A product's form as buyers see it."""

from __future__ import annotations

from enum import Enum

import strawberry

from kameng_catalog import forms
from kameng_catalog.texts import text_in


@strawberry.enum(description="How a field of a form is filled in.")
class FormFieldKind(Enum):
    """How a field of a form is filled in."""

    TEXT = strawberry.enum_value("text", description="Any text of the characters and length that it states.")
    PHONE = strawberry.enum_value("phone", description="A mobile number, with or without its country's code.")
    CHOICE = strawberry.enum_value("choice", description="One of the choices.")


@strawberry.enum(description="The characters that a text may hold.")
class FormCharacters(Enum):
    """The characters that a text may hold."""

    ANY = "any"
    DIGITS = "digits"
    LETTERS_DIGITS = "letters_digits"


@strawberry.type(description="One of the answers to choose from.")
class FormChoice:
    """One of the answers to choose from."""

    value: str = strawberry.field(description="What the order states.")
    label: str = strawberry.field(description="What people read, in the language of the request.")


@strawberry.type(description="What the buyer of a product has to fill in: a line of its form.")
class FormField:
    """A field of a form."""

    name: str = strawberry.field(description="What the order calls it.")
    kind: FormFieldKind
    label: str = strawberry.field(description="What people read, in the language of the request.")
    help: str | None = strawberry.field(description="A hint, in the language of the request.")
    required: bool = strawberry.field(description="Whether an order needs an answer.")
    characters: FormCharacters
    min_length: int
    max_length: int
    region: str | None = strawberry.field(description="Of a phone: the country of numbers without a code.")
    carriers: list[str] = strawberry.field(description="Of a phone: whose numbers are taken; all if empty.")
    choices: list[FormChoice]

    @classmethod
    def of(cls, field: forms.FormField, locale: str) -> FormField:
        """A stored field in one language."""
        return cls(
            name=field.name,
            kind=FormFieldKind(field.kind),
            label=text_in(field.labels, locale),
            help=text_in(field.help, locale) or None,
            required=field.required,
            characters=FormCharacters(field.characters),
            min_length=field.min_length,
            max_length=field.max_length,
            region=field.region if field.kind == "phone" else None,
            carriers=list(field.carriers),
            choices=[
                FormChoice(value=choice.value, label=text_in(choice.labels, locale))
                for choice in field.choices
            ],
        )
