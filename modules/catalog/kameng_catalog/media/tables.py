"""Tables of media: the files that are kept, and which product shows which."""

from piccolo.columns import (
    JSONB,
    UUID,
    Array,
    BigInt,
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
from kameng_catalog.tables import Product


class MediaFile(Table, tablename="catalog_media_file"):
    """A picture in the store, named by the hash of what it is. Never changed: other content has another name."""

    id = UUID(primary_key=True, default=None)
    # Of the picture as it is kept, in hexadecimal.
    content_hash = Text(null=False, default=None, unique=True)
    extension = Text(null=False, default=None)
    media_type = Text(null=False, default=None)
    width = Integer(null=False, default=None)
    height = Integer(null=False, default=None)
    size_bytes = BigInt(null=False, default=None)
    # Widths of the smaller ones beside it.
    thumbnails = Array(base_column=Integer(), null=False, default=list)
    created_by = Text(null=False, default=None)
    created_at = Timestamptz(null=False)
    # Since when nothing shows it; then it is deleted some days later.
    unused_since = Timestamptz(null=True, default=None)

    catalog_media_file_hash_shape = Check("content_hash ~ '^[0-9a-f]{64}$'")
    catalog_media_file_pixels = Check("width >= 1 and height >= 1 and size_bytes >= 1")


class ProductMedia(Table, tablename="catalog_product_media"):
    """A picture that a product shows."""

    id = UUID(primary_key=True, default=None)
    # The unique key and the index below serve these two.
    product = ForeignKey(
        Product,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    file = ForeignKey(
        MediaFile,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    alts = JSONB(null=False, default="{}")
    position = Integer(null=False, default=0)
    created_at = Timestamptz(null=False)

    catalog_product_media_once = Unique(["file", "product"])
    catalog_product_media_alts = Check("jsonb_typeof(alts) = 'object'")


INDEXES = (
    Index(
        "catalog_product_media_shown",
        "create index catalog_product_media_shown on catalog_product_media (product, position, id)",
    ),
    Index(
        "catalog_media_file_unused",
        "create index catalog_media_file_unused on catalog_media_file (unused_since) where unused_since is not null",
    ),
)
"""The pictures of a product in their order, and files that are shown nowhere."""
