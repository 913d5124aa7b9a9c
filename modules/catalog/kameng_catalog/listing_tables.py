"""Lists that are kept ready in every order: of all products, of each category, and of the words that need one.

A page of a filtered list is quick where an index has the filter first and the order behind it. So each such
filter, named by its term (see `searching`, and `price_bands`), is a `Listing`, and ``catalog_listed`` holds a
narrow row for each published product in it. Any page of it, first or deep, is a short range of one index.

``catalog_listed`` is derived: triggers write it in the transaction that changes a product, and `listing_check`
compares it with the products every night.
"""

from math import floor, log

from piccolo.columns import BigInt, Boolean, Serial, Text, Timestamptz
from piccolo.table import Table

from kameng.db import Index

EVERYTHING = "/"
"""The term of the listing that all published products are in."""

BANDS_PER_E = 10
"""So many bands divide the prices from one to its 2.718-fold, in equal steps."""


def price_bands(lowest: int, highest: int) -> list[str]:
    """The terms of the bands that prices from ``lowest`` to ``highest`` lie in, and perhaps one more at each end.

    `catalog_price_band` says which one; logarithms may differ in their last digits.
    """
    first, last = (log(max(units, 1)) * BANDS_PER_E for units in (lowest, highest))
    return [f"${band}" for band in range(floor(first - 1e-6), floor(last + 1e-6) + 1)]


class Listing(Table, tablename="catalog_listing"):
    """A term that is known: its list is kept, or it is so common that a walk through a wider list finds it."""

    id = Serial(primary_key=True)
    term = Text(null=False, default=None, unique=True)
    # Counted at night, for choosing between ways to answer; no answer depends on it.
    products = BigInt(null=False, default=0)
    # Whether its rows are kept in catalog_listed.
    listed = Boolean(null=False, default=False)
    # Not read any more since then, and dropped when nobody can be reading it still.
    retired_at = Timestamptz(null=True, default=None)


# Prices that lie within a tenth of each other share a band, which is a list like any other. All bands are there from the
# first, so whoever reads those of a range misses none.
PRICE_BAND = """
create function catalog_price_band(units bigint) returns text language sql immutable strict
return '$' || floor(ln(greatest(units, 1)::float8) * 10)::int
"""

# Puts products into the lists that they belong to, and takes them out of others; gives how many rows that changed.
# Whoever begins to keep a list holds the lock alone, so that no product slips by. The statements of a function see what was
# committed before each of them: also by whoever held the products' rows before.
PUT_LISTS = """
create function catalog_put_lists(keys uuid[]) returns bigint language plpgsql as $$
declare
    changes bigint;
begin
    perform pg_advisory_xact_lock_shared(hashtext('catalog.listings'));
    insert into catalog_listing (term, listed)
        select distinct t.term, true from catalog_product p, unnest(p.search_terms) t (term)
        where p.id = any(keys) and starts_with(t.term, '/')
            and not exists (select from catalog_listing l where l.term = t.term)
        on conflict (term) do nothing;
    with wanted as (
        select l.id as listing, p.id as product, p.position, p.popularity, p.lowest_units
        from catalog_product p
        cross join lateral unnest(p.search_terms || '/'::text || catalog_price_band(p.lowest_units)) t (term)
        join catalog_listing l on l.term = t.term
        where p.id = any(keys) and p.status = 'published' and l.listed
    ), gone as (
        delete from catalog_listed d
        where d.product = any(keys) and (d.listing, d.product) not in (select listing, product from wanted)
        returning 1
    ), put as (
        insert into catalog_listed as d (listing, product, position, popularity, units)
        select * from wanted
        on conflict (listing, product) do update
        set position = excluded.position, popularity = excluded.popularity, units = excluded.units
        where (d.position, d.popularity, d.units) is distinct from
            (excluded.position, excluded.popularity, excluded.units)
        returning 1
    )
    select (select count(*) from gone) + (select count(*) from put) into changes;
    return changes;
end $$
"""

LIST_NEW = """
create function catalog_list_new() returns trigger language plpgsql as $$
begin
    perform catalog_put_lists(array(select id from new_rows order by id));
    return null;
end $$
"""

LIST_CHANGED = """
create function catalog_list_changed() returns trigger language plpgsql as $$
declare
    changed uuid[] := array(
        select n.id from new_rows n join old_rows o on o.id = n.id
        where (n.status, n.position, n.popularity, n.lowest_units, n.search_terms) is distinct from
            (o.status, o.position, o.popularity, o.lowest_units, o.search_terms)
        order by n.id
    );
begin
    if cardinality(changed) > 0 then
        perform catalog_put_lists(changed);
    end if;
    return null;
end $$
"""

INDEXES = (
    # Piccolo knows no key of two columns. Its order is that of the newest products: UUIDv7 grows with time.
    # Rows have no foreign keys, being derived. The price lies in each index, for filtering while walking.
    Index(
        "catalog_listed",
        "create table catalog_listed (listing integer not null, product uuid not null,"
        " position integer not null, popularity bigint not null, units bigint,"
        " constraint catalog_listed_newest primary key (listing, product) include (units))"
        " with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)",
        "drop table if exists catalog_listed",
    ),
    Index(
        "catalog_listed_arranged",
        "create index catalog_listed_arranged on catalog_listed (listing, position, product) include (units)",
    ),
    Index(
        "catalog_listed_popular",
        "create index catalog_listed_popular on catalog_listed (listing, popularity, product) include (units)",
    ),
    Index(
        "catalog_listed_priced",
        "create index catalog_listed_priced on catalog_listed (listing, units, product)"
        " where units is not null",
    ),
    # The lists that a product is in, when it changes.
    Index("catalog_listed_product", "create index catalog_listed_product on catalog_listed (product)"),
    Index("catalog_price_band", PRICE_BAND, "drop function if exists catalog_price_band(bigint)"),
    Index("catalog_put_lists", PUT_LISTS, "drop function if exists catalog_put_lists(uuid[])"),
    Index("catalog_list_new", LIST_NEW, "drop function if exists catalog_list_new() cascade"),
    Index("catalog_list_changed", LIST_CHANGED, "drop function if exists catalog_list_changed() cascade"),
    Index(
        "catalog_product_new",
        "create trigger catalog_product_new after insert on catalog_product referencing new table as new_rows"
        " for each statement execute function catalog_list_new()",
        "drop trigger if exists catalog_product_new on catalog_product",
    ),
    Index(
        "catalog_product_changed",
        "create trigger catalog_product_changed after update on catalog_product"
        " referencing old table as old_rows new table as new_rows"
        " for each statement execute function catalog_list_changed()",
        "drop trigger if exists catalog_product_changed on catalog_product",
    ),
)
"""Each order of a list, behind the list; and what puts products into the lists."""
