"""What still has to be translated."""

from __future__ import annotations

from typing import Any

import strawberry

from kameng.db import Statement
from kameng.errors import InvalidInput
from kameng.graphql import LOCALES, Connection, Info
from kameng.graphql.exact import Long
from kameng.graphql.pages import Keyset, PageRequest
from kameng_catalog.admin.statements import PRODUCT_COLUMNS
from kameng_catalog.admin.types import ManagedProduct, product_of
from kameng_catalog.permissions import READ_PRODUCTS

NEWEST = Keyset("untranslated-products", (("p.id", "uuid"),), descending=True)

# Archived products are kept for old orders, which remember their texts themselves.
_LACKING = """(
    not p.titles ? {locale}
    or p.descriptions <> '{{}}' and not p.descriptions ? {locale}
    or exists (
        select from catalog_variant v where v.product = p.id and v.status <> 'archived' and not v.titles ? {locale}
    )
)"""

COUNT = Statement(
    "catalog.count_translations",
    f"""
    select l.locale,
        (select count(*) from catalog_category) as categories,
        (select count(*) from catalog_category c where not c.titles ? l.locale) as categories_lacking,
        (select count(*) from catalog_product p where p.status <> 'archived') as products,
        (select count(*) from catalog_product p where p.status <> 'archived' and {_LACKING.format(locale="l.locale")})
            as products_lacking,
        (select count(*) from catalog_attribute) as attributes,
        (select count(*) from catalog_attribute a where not a.titles ? l.locale) as attributes_lacking
    from unnest($1::text[]) with ordinality as l (locale, place) order by l.place
    """,
)


@strawberry.type(description="How far the catalogue is translated into a language.")
class TranslationProgress:
    """How far the catalogue is translated into a language."""

    locale: str
    categories: Long
    categories_lacking: Long
    products: Long = strawberry.field(description="Those that are not archived.")
    products_lacking: Long = strawberry.field(
        description="Those whose title, description or variants lack the language."
    )
    attributes: Long
    attributes_lacking: Long


@strawberry.type
class TranslationsQuery:
    """What still has to be translated."""

    @strawberry.field(
        description="How far the catalogue is translated, by language. It looks at every product."
    )
    async def translation_progress(self, info: Info) -> list[TranslationProgress]:
        """Counted at this moment."""
        info.context.require(READ_PRODUCTS)
        rows: list[Any] = await info.context.db.fetch(COUNT, list(LOCALES))
        return [
            TranslationProgress(
                locale=row["locale"],
                **{name: Long(value) for name, value in row.items() if name != "locale"},
            )
            for row in rows
        ]

    @strawberry.field(
        description="Products that lack a language in their title, description or variants, the newest first."
    )
    async def untranslated_products(
        self,
        info: Info,
        locale: str,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ManagedProduct]:
        """A page of products; the fewer there are, the longer it is looked for."""
        info.context.require(READ_PRODUCTS)
        if locale not in LOCALES:
            raise InvalidInput(
                f"There is no language {locale[:20]!r}.", cure=f"Take one of {', '.join(LOCALES)}."
            )
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, 2)
        sql = (
            f"select {PRODUCT_COLUMNS} from catalog_product p"
            f" where p.status <> 'archived' and {_LACKING.format(locale='$1')} and {behind} {tail}"
        )
        rows = await info.context.db.fetch(Statement("catalog.untranslated_products", sql), locale, *cursor)
        return page.connection(rows, NEWEST, lambda row: [row["id"]], product_of)
