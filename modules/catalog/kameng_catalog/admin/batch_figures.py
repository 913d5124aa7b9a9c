"""How many cards of batches lie where.

Cards of a batch mostly came one behind the other. Where their numbers have no gap, no other batch has any between them, so
what lies in a place is a range of its index, counted without looking at a single card. Where they have, as after two imports
at once, the cards in that range are told apart by the index of batches.
"""

from kameng.db import Statement

_PLACES = {
    "free": "catalog_free_card",
    "reserved": "catalog_reserved_card",
    "quarantined": "catalog_quarantined_card",
    "sold": "catalog_sold_card",
    "bad": "catalog_bad_card",
}


def _count(name: str, table: str) -> str:
    within = f"select count(*) from {table} p where p.card between r.first and r.last"
    own = "exists (select from catalog_card c where c.batch = b.id and c.id = p.card)"
    return f"case when r.cards = r.last - r.first + 1 then ({within}) else ({within} and {own}) end as {name}"


FIGURES = Statement(
    "catalog.batch_figures",
    f"""
    select b.id, r.cards, {", ".join(_count(name, table) for name, table in _PLACES.items())}
    from unnest($1::uuid[]) as b (id) cross join lateral (
        select count(*) as cards, min(c.id) as first, max(c.id) as last from catalog_card c where c.batch = b.id
    ) r
    where r.cards > 0
    """,
)
"""The batches that have cards, and how many lie where; one statement for all of them."""
