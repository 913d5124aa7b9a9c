"""Whether a product is for sale at an instant, as SQL."""


def for_sale_sql(product: str, at: str = "now()") -> str:
    """Whether a product is for sale, to the second: by its status, or by a publish window (see `windows`) that has come.

    Args:
        product: the alias of ``catalog_product``.
        at: the instant, as SQL.
    """
    return (
        f"(({product}.status = 'published' or coalesce({product}.publish_at <= {at}, false))"
        f" and ({product}.unpublish_at is null or {product}.unpublish_at > {at}))"
    )
