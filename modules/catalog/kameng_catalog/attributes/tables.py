"""The table of attribute definitions; the values lie with the products."""

from piccolo.columns import (
    JSONB,
    UUID,
    Boolean,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng_catalog.tables import Category


class Attribute(Table, tablename="catalog_attribute"):
    """An attribute that products of a category and of all below it may state."""

    id = UUID(primary_key=True, default=None)
    # The unique key below begins with the category and serves as its index.
    category = ForeignKey(
        Category,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    code = Text(null=False, default=None)
    kind = Text(null=False, default=None)
    titles = JSONB(null=False, default=None)
    unit = Text(null=False, default="")
    # Of a choice: what can be chosen, as a list of values with labels by locale.
    choices = JSONB(null=False, default="[]")
    required = Boolean(null=False, default=False)
    filterable = Boolean(null=False, default=False)
    position = Integer(null=False, default=0)
    updated_at = Timestamptz(null=False)

    catalog_attribute_one_each = Unique(["category", "code"])
    catalog_attribute_code_shape = Check("code ~ '^[a-z][a-z0-9_]{0,31}$'")
    catalog_attribute_kind_known = Check("kind in ('text', 'number', 'boolean', 'choice', 'choices')")
    catalog_attribute_titled = Check("jsonb_typeof(titles) = 'object' and titles <> '{}'")
    catalog_attribute_choices = Check(
        "jsonb_typeof(choices) = 'array' and (choices = '[]') = (kind not in ('choice', 'choices'))"
    )
