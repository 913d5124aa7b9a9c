"""A product's form as the staff makes it."""

from __future__ import annotations

import msgspec
import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.ids import key_of
from kameng_catalog import forms
from kameng_catalog.admin.inputs import LocalizedTextInput, checked_texts
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedProduct
from kameng_catalog.editing import set_form
from kameng_catalog.permissions import MANAGE_PRODUCTS
from kameng_catalog.shop.form_types import FormCharacters, FormFieldKind

_LONGEST_LABEL = 100
_LONGEST_HELP = 300


@strawberry.input(description="One of the answers to choose from.")
class FormChoiceInput:
    """One of the answers to choose from."""

    value: str = strawberry.field(description="What the order states and the supplier is told.")
    labels: list[LocalizedTextInput]


@strawberry.input(description="A field that buyers of the product fill in.")
class FormFieldInput:
    """A field of a form."""

    name: str = strawberry.field(description="What orders call it: letters and digits, such as `account`.")
    kind: FormFieldKind
    labels: list[LocalizedTextInput]
    help: list[LocalizedTextInput] | None = None
    required: bool = True
    characters: FormCharacters = FormCharacters.ANY
    min_length: int = 1
    max_length: int = forms.LONGEST_ANSWER
    region: str = strawberry.field(default="CN", description="Of a phone: ISO 3166, such as CN.")
    carriers: list[str] | None = strawberry.field(
        default=None,
        description="Of a phone: whose numbers are taken, such as China Mobile; all if left out.",
    )
    choices: list[FormChoiceInput] | None = None
    private: bool = strawberry.field(
        default=False, description="Whether pages that others may see hide the answer's middle."
    )


@strawberry.input(description="The form of a product.")
class SetProductFormInput:
    """The form of a product."""

    id: strawberry.ID
    fields: list[FormFieldInput] = strawberry.field(description="In their order; none takes the form away.")


@payload()
class SetProductFormPayload:
    """The product with its form, or why it has the one it had."""

    product: ManagedProduct | None = None


@strawberry.type
class FormsMutation:
    """Mutations on forms."""

    @mutation
    async def set_product_form(self, info: Info, input: SetProductFormInput) -> SetProductFormPayload:  # noqa: A002 - GraphQL's name
        """Set what buyers of a product fill in; orders keep the answers as they were given."""
        info.context.require(MANAGE_PRODUCTS)
        key = key_of("Product", input.id)
        await set_form(info.context, key, forms.checked_form([_field(field) for field in input.fields]))
        return SetProductFormPayload(product=await admin_loaders(info.context).product.load(key))


def _field(given: FormFieldInput) -> forms.FormField:
    values = {
        "name": given.name,
        "kind": given.kind.value,
        "labels": checked_texts("labels", given.labels, _LONGEST_LABEL),
        "help": checked_texts("help", given.help or [], _LONGEST_HELP),
        "required": given.required,
        "characters": given.characters.value,
        "min_length": given.min_length,
        "max_length": given.max_length,
        "region": given.region,
        "carriers": given.carriers or [],
        "choices": [
            {"value": choice.value, "labels": checked_texts("choices", choice.labels, _LONGEST_LABEL)}
            for choice in given.choices or []
        ],
        "private": given.private,
    }
    try:
        return msgspec.convert(values, forms.FormField)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"The field {given.name[:40]!r} cannot be used: {error}.",
            path=("input", "fields", given.name[:40]),
        ) from error
