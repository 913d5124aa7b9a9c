"""The lists that are kept in every order: see ``INDEXES`` in ``kameng_catalog.listing_tables`` and ``tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T21:47:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Lists in every order, filled from the products that are there"

PRICE_BAND = """
create function catalog_price_band(units bigint) returns text language sql immutable strict
return '$' || floor(ln(greatest(units, 1)::float8) * 10)::int
"""

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

OBJECTS = (
    (
        "alter table catalog_product set (fillfactor = 80)",
        "alter table catalog_product reset (fillfactor)",
    ),
    (
        "drop index if exists catalog_product_popular",
        "create index catalog_product_popular on catalog_product (popularity desc, id desc) where status = 'published'",
    ),
    (
        "drop index if exists catalog_product_search",
        "create index catalog_product_search on catalog_product using gin (search_terms)",
    ),
    (
        """
        update catalog_product p set
            search_terms = array(
                select '/' || array_to_string((string_to_array(c.path, '/'))[1:depth], '/')
                from generate_series(1, cardinality(string_to_array(c.path, '/'))) depth
            ) || array(select distinct '#' || lower(tag) from unnest(p.tags) tag order by 1) || p.search_terms,
            lowest_units = (
                select min((
                    select units from catalog_price r
                    where r.variant = v.id and r.tier = 'retail' and r.min_quantity <= v.min_quantity
                        and r.currency = (
                            select currency from catalog_price group by currency order by count(*) desc, currency limit 1
                        )
                    order by r.min_quantity desc limit 1
                ))
                from catalog_variant v where v.product = p.id and v.status = 'published'
            )
        from catalog_category c where c.id = p.category
        """,
        "update catalog_product set search_terms = array(select term from unnest(search_terms) term where term !~ '^[/#]')",
    ),
    (
        "create index catalog_product_search on catalog_product using gin (search_terms) with (gin_pending_list_limit = 256)",
        "drop index if exists catalog_product_search",
    ),
    (PRICE_BAND, "drop function if exists catalog_price_band(bigint)"),
    (
        (
            "insert into catalog_listing (term, listed, products) select '/' || path, true, 0 from catalog_category"
            " union all select '/', true, 0 union all"
            " select '$' || band, true, 0 from generate_series(0, 436) band"
        ),
        "delete from catalog_listing",
    ),
    (
        (
            "create table catalog_listed (listing integer not null, product uuid not null,"
            " position integer not null, popularity bigint not null, units bigint,"
            " constraint catalog_listed_newest primary key (listing, product) include (units))"
            " with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)"
        ),
        "drop table if exists catalog_listed",
    ),
    (
        """
        insert into catalog_listed (listing, product, position, popularity, units)
        select l.id, p.id, p.position, p.popularity, p.lowest_units
        from catalog_product p
        cross join lateral unnest(p.search_terms || '/'::text || catalog_price_band(p.lowest_units)) t (term)
        join catalog_listing l on l.term = t.term
        where p.status = 'published'
        order by 1, 2
        """,
        "",
    ),
    (
        "create index catalog_listed_arranged on catalog_listed (listing, position, product) include (units)",
        "drop index if exists catalog_listed_arranged",
    ),
    (
        "create index catalog_listed_popular on catalog_listed (listing, popularity, product) include (units)",
        "drop index if exists catalog_listed_popular",
    ),
    (
        "create index catalog_listed_priced on catalog_listed (listing, units, product) where units is not null",
        "drop index if exists catalog_listed_priced",
    ),
    (
        "create index catalog_listed_product on catalog_listed (product)",
        "drop index if exists catalog_listed_product",
    ),
    (PUT_LISTS, "drop function if exists catalog_put_lists(uuid[])"),
    (LIST_NEW, "drop function if exists catalog_list_new() cascade"),
    (LIST_CHANGED, "drop function if exists catalog_list_changed() cascade"),
    (
        (
            "create trigger catalog_product_new after insert on catalog_product referencing new table as new_rows"
            " for each statement execute function catalog_list_new()"
        ),
        "drop trigger if exists catalog_product_new on catalog_product",
    ),
    (
        (
            "create trigger catalog_product_changed after update on catalog_product"
            " referencing old table as old_rows new table as new_rows"
            " for each statement execute function catalog_list_changed()"
        ),
        "drop trigger if exists catalog_product_changed on catalog_product",
    ),
    (
        (
            "update catalog_listing l set products = c.products"
            " from (select listing, count(*) as products from catalog_listed group by listing) c where c.listing = l.id"
        ),
        "",
    ),
)


async def forwards() -> MigrationManager:
    """Create and fill them; backwards drops them in reverse."""
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in OBJECTS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(OBJECTS):
            if sql:
                await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
