"""The SQL that both references share, as somebody would write it by hand for these two answers."""

PAGE = """
select p.id, p.slug, p.titles ->> 'zh-CN' as title, p.descriptions ->> 'zh-CN' as description, p.tags, p.created_at,
    (select min(r.units) from catalog_variant v join catalog_price r on r.variant = v.id
     where v.product = p.id and v.status = 'published' and r.tier = 'retail' and r.currency = 'CNY'
        and r.min_quantity = 1) as price_from
from catalog_product p
where p.status = 'published'
order by p.position, p.id
limit $1
"""

PRODUCT = """
select id, slug, titles ->> 'zh-CN' as title, descriptions ->> 'zh-CN' as description, tags, created_at
from catalog_product where slug = $1 and status = 'published'
"""

VARIANTS = """
select v.id, v.sku, v.titles ->> 'zh-CN' as title, v.min_quantity, v.max_quantity, r.units
from catalog_variant v
left join catalog_price r on r.variant = v.id and r.tier = 'retail' and r.currency = 'CNY' and r.min_quantity = 1
where v.product = $1 and v.status = 'published'
order by v.position, v.id
"""


def amount(units: int | None) -> str | None:
    """Ten-thousandths as a decimal text: two decimals where that is exact, as prices are shown."""
    return None if units is None else f"{units / 10_000:.4f}"
