"""The SQL that changes prices; `pricing` holds what reads them."""

from kameng.db import Statement

_CHANGES = """jsonb_to_recordset($1::jsonb) as r (
        place int, id uuid, variant uuid, currency text, site text, tier text, min_quantity int,
        starts_at timestamptz, ends_at timestamptz, units bigint
    )"""

_SAME_SPECIAL = """s.variant = r.variant and s.currency = r.currency and s.site = r.site and s.tier = r.tier
        and s.min_quantity = r.min_quantity and s.starts_at is not distinct from r.starts_at"""

PRODUCTS_OF = Statement(
    "catalog.products_of_variants",
    "select distinct product from catalog_variant where id = any($1::uuid[]) order by product",
)

# What each change would change, and the floor that it may not go below.
KNOWN_PRICES = Statement(
    "catalog.known_prices",
    f"""
    select r.place, v.id is not null as there, coalesce(p.units, s.units) as units, s.ends_at,
        case when not v.below_cost and v.cost_currency = r.currency then v.cost_units end as floor
    from {_CHANGES}
    left join catalog_variant v on v.id = r.variant
    left join catalog_price p on r.site = '' and r.starts_at is null and p.variant = r.variant
        and p.currency = r.currency and p.tier = r.tier and p.min_quantity = r.min_quantity
    left join catalog_special_price s on (r.site <> '' or r.starts_at is not null) and {_SAME_SPECIAL}
    """,
)

PUT_PRICES = Statement(
    "catalog.put_prices",
    f"""
    insert into catalog_price (id, variant, tier, min_quantity, currency, units, updated_at)
    select id, variant, tier, min_quantity, currency, units, now()
    from {_CHANGES}
    on conflict (variant, currency, tier, min_quantity)
    do update set units = excluded.units, updated_at = excluded.updated_at
    """,
)

PUT_SPECIAL_PRICES = Statement(
    "catalog.put_special_prices",
    f"""
    insert into catalog_special_price
        (id, variant, currency, site, tier, min_quantity, starts_at, ends_at, units, updated_at)
    select id, variant, currency, site, tier, min_quantity, starts_at, ends_at, units, now()
    from {_CHANGES}
    on conflict (variant, currency, site, tier, min_quantity, starts_at)
    do update set units = excluded.units, ends_at = excluded.ends_at, updated_at = excluded.updated_at
    """,
)

REMOVE_PRICES = Statement(
    "catalog.remove_prices",
    f"""
    delete from catalog_price p using {_CHANGES}
    where p.variant = r.variant and p.currency = r.currency and p.tier = r.tier and p.min_quantity = r.min_quantity
    """,
)

REMOVE_SPECIAL_PRICES = Statement(
    "catalog.remove_special_prices",
    f"delete from catalog_special_price s using {_CHANGES} where {_SAME_SPECIAL}",
)

NOTE_PRICES = Statement(
    "catalog.note_prices",
    """
    insert into catalog_price_change (variant, what, currency, site, tier, min_quantity, starts_at, ends_at,
        old_units, new_units, changed_by, source, reason, at)
    select variant, 'price', currency, site, tier, min_quantity, starts_at, ends_at, old_units, units, $2, $3, $4, now()
    from jsonb_to_recordset($1::jsonb) as r (
        variant uuid, currency text, site text, tier text, min_quantity int, starts_at timestamptz,
        ends_at timestamptz, old_units bigint, units bigint
    )
    order by variant, currency, site, tier, min_quantity, starts_at
    """,
)

# Costs before they are written. One in another currency is the end of the old one.
NOTE_COSTS = Statement(
    "catalog.note_costs",
    """
    with costs as (
        select r.id, r.cost_units as new, r.cost_currency as new_currency, v.cost_units as old,
            v.cost_currency as old_currency
        from jsonb_to_recordset($1::jsonb) as r (id uuid, cost_units bigint, cost_currency text)
        left join catalog_variant v on v.id = r.id
        where (v.cost_units, v.cost_currency) is distinct from (r.cost_units, r.cost_currency)
    )
    insert into catalog_price_change (variant, what, currency, old_units, new_units, changed_by, source, reason, at)
    select id, 'cost', new_currency, old, new, $2, $3, $4, now() from costs where new_currency = old_currency
    union all
    select id, 'cost', old_currency, old, null, $2, $3, $4, now() from costs
    where old_currency is not null and new_currency is distinct from old_currency
    union all
    select id, 'cost', new_currency, null, new, $2, $3, $4, now() from costs
    where new_currency is not null and new_currency is distinct from old_currency
    """,
)
