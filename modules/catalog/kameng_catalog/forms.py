"""Top-up forms: what a buyer fills in for goods that are delivered into an account or onto a phone.

A form belongs to a product. Its fields are checked on the server, and what is wrong is told by field: nothing is ever taken for
granted, since a top-up that went to the wrong account cannot be called back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from kameng.errors import InvalidInput, Refusal
from kameng_catalog.phones import CARRIERS, REGIONS, PhoneWrong, checked_phone

MOST_FIELDS = 20
"""Fields of one form."""

LONGEST_ANSWER = 200
"""Characters of one answer."""

_CHARACTERS = {
    "any": None,
    "digits": "0123456789",
    "letters_digits": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
}

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-zA-Z0-9]{0,31}$")]
Texts = Annotated[dict[str, str], msgspec.Meta(min_length=1)]


class FormAnswerWrong(Refusal):
    """A field of the product's form is missing or cannot be used."""

    code = "FORM_ANSWER_WRONG"


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the answers to choose from.

    Attributes:
        value: what is stored and handed to the supplier.
        labels: what people read, by locale.
    """

    value: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ANSWER)]
    labels: Texts


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A field of a form.

    Attributes:
        name: what it is called in requests.
        kind: ``text``; ``phone``, stored as E.164; or ``choice``, one of `choices` such as a region or a server.
        labels: what people read, by locale.
        help: a hint below the field, by locale.
        required: whether an order needs an answer.
        characters: of a text: ``any``, ``digits`` or ``letters_digits``.
        min_length, max_length: of a text, in characters.
        region: of a phone: whose numbers are meant where none is written, as ISO 3166 has it.
        carriers: of a phone: whose numbers are taken, such as ``China Mobile``; any carrier's if it is empty.
        choices: of a choice.
        private: whether pages that others may see hide the answer's middle.
    """

    name: Name
    kind: Literal["text", "phone", "choice"]
    labels: Texts
    help: dict[str, str] = {}
    required: bool = True
    characters: Literal["any", "digits", "letters_digits"] = "any"
    min_length: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_ANSWER)] = 1
    max_length: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_ANSWER)] = LONGEST_ANSWER
    region: str = "CN"
    carriers: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    private: bool = False


Form = tuple[FormField, ...]
"""The fields of a form, in the order in which they are shown; none for goods that need no form."""

_form = msgspec.json.Decoder(Form)


def read_form(stored: str | bytes | None) -> Form:
    """A form as it is stored."""
    return _form.decode(stored) if stored else ()


def checked_form(fields: Sequence[FormField]) -> Form:
    """A form that buyers can be shown.

    Raises:
        InvalidInput: too many fields, one name twice, a choice without choices, lengths that exclude everything, or a region or
            carrier that nobody knows.
    """
    if len(fields) > MOST_FIELDS:
        raise _unusable(
            "", f"A form has at most {MOST_FIELDS} fields; this has {len(fields)}.", "Ask for less."
        )
    names: set[str] = set()
    for field in fields:
        if field.name in names:
            raise _unusable(field.name, "Two fields have this name.", "Rename one.")
        names.add(field.name)
        if field.min_length > field.max_length:
            raise _unusable(field.name, "Its least length is above its most.", "Change both.")
        if field.kind == "choice":
            values = [choice.value for choice in field.choices]
            if not values or len(set(values)) < len(values):
                raise _unusable(field.name, "A choice needs choices, each once.", "Name them.")
        elif field.choices:
            raise _unusable(field.name, "Only a choice has choices.", "Make it one, or take them away.")
        if field.kind == "phone" and field.region not in REGIONS:
            raise _unusable(field.name, f"There is no region {field.region[:10]!r}.", "Write one such as CN.")
        if unknown := set(field.carriers) - CARRIERS:
            raise _unusable(
                field.name, f"There is no carrier {min(unknown)!r}.", "Write one such as China Mobile."
            )
    return tuple(fields)


def _unusable(name: str, message: str, cure: str) -> InvalidInput:
    return InvalidInput(message, cure=cure, path=("input", "fields", name) if name else ("input", "fields"))


def checked_answers(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers to a form as they are stored: trimmed, phones as E.164, empty ones left out.

    Args:
        form: the form.
        answers: what the buyer filled in, by the fields' names.

    Raises:
        FormAnswerWrong: its path is the field's name.
    """
    known = {field.name for field in form}
    for name in answers:
        if name not in known:
            raise FormAnswerWrong(
                "This product does not ask for that.", cure="Leave it out.", path=(name[:40],)
            )
    found: dict[str, str] = {}
    for field in form:
        answer = answers.get(field.name, "").strip()
        if answer:
            found[field.name] = _checked(field, answer)
        elif field.required:
            raise _wrong(field, "This is missing.", "Fill it in; nothing is chosen for you.")
    return found


def _checked(field: FormField, answer: str) -> str:
    if field.kind == "choice":
        if answer not in {choice.value for choice in field.choices}:
            raise _wrong(field, "This is not one of the choices.", "Choose one.")
        return answer
    if field.kind == "phone":
        try:
            return checked_phone(answer, field.region, field.carriers)
        except PhoneWrong as wrong:
            raise _wrong(field, wrong.message, wrong.cure) from wrong
    if not field.min_length <= len(answer) <= field.max_length:
        raise _wrong(
            field,
            f"It has {len(answer)} characters; {field.min_length} to {field.max_length} are right.",
            "Check it.",
        )
    allowed = _CHARACTERS[field.characters]
    if allowed is not None and not set(answer) <= set(allowed):
        what = "digits" if field.characters == "digits" else "letters and digits"
        raise _wrong(field, f"It may hold {what} alone.", "Check it.")
    if not answer.isprintable():
        raise _wrong(field, "It holds characters that nobody can see.", "Type it anew.")
    return answer


def _wrong(field: FormField, message: str, cure: str) -> FormAnswerWrong:
    return FormAnswerWrong(message, cure=cure, path=(field.name,))


def shown_answer(field_private: bool, answer: str) -> str:
    """An answer as others may see it: of a private one the first three and last two characters at most."""
    if not field_private:
        return answer
    if len(answer) <= 6:
        return "*" * len(answer)
    return f"{answer[:3]}{'*' * (len(answer) - 5)}{answer[-2:]}"
