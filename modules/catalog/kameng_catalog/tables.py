"""Tables of the catalogue: categories, products, variants and their prices. The stock lies in `stock_tables`.

Texts that people read are JSONB objects by locale (``{"zh-CN": "…", "en": "…"}``): one row holds all of a
product's languages, and another language needs no migration.
"""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
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

from kameng.db import Index

SLUG = "[a-z0-9]+(-[a-z0-9]+)*"
"""What a slug looks like."""

KINDS = ("card", "reusable", "quota", "unlimited", "supplier")
"""The kinds of stock: what a piece of the variant is taken from."""

DELIVERIES = ("instant", "manual", "supplier")
"""How a paid line is delivered: from stock at once, by the staff, or by a supplier."""

PICKINGS = ("fifo", "soonest_expiring")
"""Which cards are sold first: those that came first, or those that expire first."""

STATUSES = ("draft", "published", "archived")
"""Whether a product or variant is prepared, for sale, or kept for the sake of old orders."""

_KNOWN_STATUS = "status in ('draft', 'published', 'archived')"


class Category(Table, tablename="catalog_category"):
    """A node of the category tree, known by the path of slugs that leads to it."""

    id = UUID(primary_key=True, default=None)
    parent: ForeignKey["Category"] = ForeignKey(
        "self", null=True, default=None, index=True, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict
    )
    path = Text(null=False, default=None, unique=True)
    titles = JSONB(null=False, default=None)
    position = Integer(null=False, default=0)
    created_at = Timestamptz(null=False)

    catalog_category_path_shape = Check(f"path ~ '^{SLUG}(/{SLUG})*$'")
    catalog_category_titled = Check("jsonb_typeof(titles) = 'object' and titles <> '{}'")
    catalog_category_rooted = Check("(parent is null) = (position('/' in path) = 0)")


class Product(Table, tablename="catalog_product"):
    """A product page: what its variants have in common."""

    id = UUID(primary_key=True, default=None)
    slug = Text(null=False, default=None, unique=True)
    category = ForeignKey(
        Category,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    titles = JSONB(null=False, default=None)
    descriptions = JSONB(null=False, default="{}")
    tags = Array(base_column=Text(), null=False, default=list)
    status = Text(null=False, default="draft")
    position = Integer(null=False, default=0)
    # Pieces sold in the last days, counted anew every hour by `popularity`: no sale writes to its product.
    popularity = BigInt(null=False, default=0)
    # The lowest retail price among its published variants in the shop's currency, null without any: `listings`
    # keeps it in the transaction that changes a price.
    lowest_units = BigInt(null=True, default=None)
    # When the next period of such a price begins or ends: until then it is the lowest. Null without any.
    lowest_until = Timestamptz(null=True, default=None)
    # What `searching` makes of category, titles, tags, SKUs and variants; a GIN index answers "contains all of these".
    search_terms = Array(base_column=Text(), null=False, default=list)
    # What a buyer fills in, see `forms`; null where nothing is asked.
    form = JSONB(null=True, default=None)
    # When it is to go on sale and off sale by itself, see `windows`; null once that has happened.
    publish_at = Timestamptz(null=True, default=None)
    unpublish_at = Timestamptz(null=True, default=None)
    # Values by code, see `attributes`.
    attributes = JSONB(null=False, default="{}")
    # Title and description for search engines, by locale.
    seo = JSONB(null=False, default="{}")
    # What integrations keep with it: for everybody to read, and for the staff alone.
    public_metadata = JSONB(null=False, default="{}")
    private_metadata = JSONB(null=False, default="{}")
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)

    catalog_product_slug_shape = Check(f"slug ~ '^{SLUG}$'")
    catalog_product_status_known = Check(_KNOWN_STATUS)
    catalog_product_titled = Check("jsonb_typeof(titles) = 'object' and titles <> '{}'")
    catalog_product_described = Check("jsonb_typeof(descriptions) = 'object'")
    catalog_product_window = Check("publish_at < unpublish_at")
    catalog_product_attributes = Check("jsonb_typeof(attributes) = 'object'")
    catalog_product_seo = Check("jsonb_typeof(seo) = 'object'")
    catalog_product_public_metadata = Check(
        "jsonb_typeof(public_metadata) = 'object' and length(public_metadata::text) <= 40000"
    )
    catalog_product_private_metadata = Check(
        "jsonb_typeof(private_metadata) = 'object' and length(private_metadata::text) <= 40000"
    )


class Variant(Table, tablename="catalog_variant"):
    """What is bought: one denomination or edition of a product."""

    id = UUID(primary_key=True, default=None)
    product = ForeignKey(
        Product,
        null=False,
        default=None,
        index=True,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    sku = Text(null=False, default=None, unique=True)
    titles = JSONB(null=False, default=None)
    stock_kind = Text(null=False, default="card")
    delivery = Text(null=False, default="instant")
    # What a buyer reads once he has paid; the whole delivery where there are no secrets.
    delivery_notes = JSONB(null=False, default="{}")
    picking = Text(null=False, default="fifo")
    # Fewer pieces than this raise an alert; null for the figure of the settings, 0 for never.
    low_stock = Integer(null=True, default=None)
    face_minor = BigInt(null=True, default=None)
    face_currency = Text(null=True, default=None)
    cost_units = BigInt(null=True, default=None)
    cost_currency = Text(null=True, default=None)
    # Whether it may be sold for less than it costs; otherwise its cost is the floor of every price.
    below_cost = Boolean(null=False, default=False)
    # Whether it has prices of single sites or periods; a trigger beside them keeps it.
    specially_priced = Boolean(null=False, default=False)
    min_quantity = Integer(null=False, default=1)
    max_quantity = Integer(null=False, default=100)
    position = Integer(null=False, default=0)
    status = Text(null=False, default="draft")
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)

    catalog_variant_sku_shape = Check("sku ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'")
    catalog_variant_kind_known = Check("stock_kind in ('card', 'reusable', 'quota', 'unlimited', 'supplier')")
    catalog_variant_delivery_known = Check("delivery in ('instant', 'manual', 'supplier')")
    catalog_variant_delivery_noted = Check("jsonb_typeof(delivery_notes) = 'object'")
    catalog_variant_picking_known = Check("picking in ('fifo', 'soonest_expiring')")
    catalog_variant_low_stock = Check("low_stock >= 0")
    catalog_variant_status_known = Check(_KNOWN_STATUS)
    catalog_variant_titled = Check("jsonb_typeof(titles) = 'object' and titles <> '{}'")
    catalog_variant_face_whole = Check(
        "(face_minor is null) = (face_currency is null) and coalesce(face_minor, 0) >= 0"
    )
    catalog_variant_cost_whole = Check(
        "(cost_units is null) = (cost_currency is null) and coalesce(cost_units, 0) >= 0"
    )
    catalog_variant_quantities = Check("1 <= min_quantity and min_quantity <= max_quantity")


class Price(Table, tablename="catalog_price"):
    """What buyers of a tier pay for one, from a quantity on: ten-thousandths of the currency's main unit."""

    id = UUID(primary_key=True, default=None)
    # The unique key below begins with the variant and serves as its index.
    variant = ForeignKey(
        Variant,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    tier = Text(null=False, default="retail")
    min_quantity = Integer(null=False, default=1)
    currency = Text(null=False, default=None)
    units = BigInt(null=False, default=None)
    updated_at = Timestamptz(null=False)

    catalog_price_one_each = Unique(["variant", "currency", "tier", "min_quantity"])
    catalog_price_not_negative = Check("units >= 0")
    catalog_price_quantity_positive = Check("min_quantity >= 1")
    catalog_price_tier_shape = Check("tier ~ '^[a-z0-9][a-z0-9_-]{0,63}$'")
    catalog_price_currency_shape = Check("currency ~ '^[A-Z]{3}$'")


INDEXES = (
    # UUIDv7 grows with time, so the newest products are those with the highest ids.
    Index(
        "catalog_product_newest",
        "create index catalog_product_newest on catalog_product (id) where status = 'published'",
    ),
    Index(
        "catalog_product_arranged",
        "create index catalog_product_arranged on catalog_product (position, id) where status = 'published'",
    ),
    # New entries wait in a list that every search reads as well, so it is kept short.
    Index(
        "catalog_product_search",
        "create index catalog_product_search on catalog_product using gin (search_terms)"
        " with (gin_pending_list_limit = 256)",
    ),
    # Products whose lowest price is about to change by itself.
    Index(
        "catalog_product_lowest_until",
        "create index catalog_product_lowest_until on catalog_product (lowest_until)"
        " where lowest_until is not null",
    ),
    # Products that are about to go on or off sale by themselves.
    Index(
        "catalog_product_windows",
        "create index catalog_product_windows on catalog_product ((least(publish_at, unpublish_at)))"
        " where publish_at is not null or unpublish_at is not null",
    ),
    # Room beside each row: sales and prices change, and no index of this table holds them.
    Index(
        "catalog_product_room",
        "alter table catalog_product set (fillfactor = 80)",
        "alter table catalog_product reset (fillfactor)",
    ),
)
"""The orders of the whole catalogue that nobody filters, and the search; all other lists are in `listing_tables`."""
