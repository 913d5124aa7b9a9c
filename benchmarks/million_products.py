"""A catalogue of any size up to millions of products, made up by rules, by the database itself.

What lists stumble over is kept as shops have it: few large categories and many small ones, words by Zipf's law and tied to
categories, clumped prices, sales that most products have none of, and hardly anything arranged by hand.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import orjson

from benchmarks.figures import say
from kameng.ids import new_id
from kameng_catalog import listing_tables, tables
from kameng_catalog.known_lists import KnownLists
from kameng_catalog.list_choice import choose_lists
from kameng_catalog.listing_check import COUNT_LISTED
from kameng_catalog.searching import path_terms, tag_term, terms_of

if TYPE_CHECKING:
    from kameng.db import Database, Index
    from kameng.kernel import Kernel

BRANDS = 20_000
CHUNK = 100_000

ROOTS = (
    # slug, titles, share of the brands, children; a third level divides each child
    ("game", "游戏", "Games", 30, 24),
    ("software", "软件", "Software", 22, 16),
    ("topup", "话费充值", "Phone top-up", 14, 10),
    ("video", "影音会员", "Video and music", 12, 12),
    ("gift", "礼品卡", "Gift cards", 10, 14),
    ("course", "课程", "Courses", 6, 8),
    ("service", "生活服务", "Services", 4, 10),
    ("other", "其他", "Other", 2, 6),
)
KINDS = (
    ("充值卡", "top-up card", 24), ("点卡", "points card", 14), ("激活码", "activation key", 14), ("会员月卡", "monthly pass", 9),
    ("礼品卡", "gift card", 9), ("会员年卡", "yearly pass", 6), ("兑换码", "voucher", 6), ("豪华版", "deluxe edition", 5),
    ("钱包充值码", "wallet code", 4), ("季卡", "season pass", 3), ("代充", "direct top-up", 3), ("体验卡", "trial", 2),
    ("典藏版", "collector edition", 0.7), ("赛季通行证", "battle pass", 0.3),
)  # fmt: skip
REGIONS = (
    ("", "", 40), ("国服", "China", 18), ("全球版", "global", 14), ("美区", "US", 10), ("港服", "Hong Kong", 6),
    ("欧服", "Europe", 5), ("日服", "Japan", 4), ("台服", "Taiwan", 2), ("韩服", "Korea", 0.7), ("土耳其区", "Turkey", 0.3),
)  # fmt: skip
TAGS = (
    ("hot", 12),
    ("new", 8),
    ("sale", 6),
    ("instant", 30),
    ("official", 20),
    ("bundle", 2),
    ("limited", 0.5),
)
FACES = (5, 10, 20, 30, 50, 100, 200, 300, 500, 1000)
HAN = (
    "星河传说龙剑天地风云仙侠魔王城战英雄联盟时代无尽梦幻西游大话三国水浒红楼明月江湖荣耀黎明原野部落火影海贼极品飞车世界征途完美永恒"
    "纪元冒险岛枫叶光影迷踪暗黑破坏神机甲钢铁洪流银翼蓝鲸赤焰青鸟白狐玄武朱雀麒麟凤凰鲲鹏"
)
SYLLABLES = [
    "ka",
    "ro",
    "mi",
    "ten",
    "sol",
    "vex",
    "dra",
    "lun",
    "zor",
    "phi",
    "ari",
    "neo",
    "bla",
    "sto",
    "que",
    "hax",
    "pyr",
    "tal",
    "wyn",
    "gor",
    "eve",
    "ult",
    "cry",
    "ion",
    "mer",
    "qua",
    "zen",
]

PARTS = """
create unlogged table bench_brand (n int primary key, zh text, en text, terms text[], category uuid);
create unlogged table bench_kind (n int primary key, zh text, en text, terms text[]);
create unlogged table bench_region (n int primary key, zh text, en text, terms text[]);
create unlogged table bench_tags (n int primary key, names text[], terms text[]);
create unlogged table bench_faces (first_face int, faces int, values int[], terms text[]);
"""
"""What titles are made of, with the search terms of each part."""

# What chance decides of each product, kept so that its variants and prices agree with it.
DRAW = """
create unlogged table bench_drawn as
select n, uuidv7(make_interval(secs => (n - $1::int) * 86.4e6 / $1::int)) as id,
    width_bucket(random(), $2::float8[]) as brand, width_bucket(random(), $3::float8[]) as kind,
    width_bucket(random(), $4::float8[]) as region, random() as tags,
    (array[1, 1, 1, 2, 2, 3, 4])[1 + floor(random() * 7)::int] as faces, floor(random() * 10)::int as first_face,
    -- Two in five prices lie on the points that shops love; the rest anywhere below the face value.
    case when random() < 0.4 then (array[1.0, 0.98, 0.95, 0.9])[1 + floor(random() * 4)::int] else 0.6 + random() * 0.4 end
        as discount,
    random() < 0.97 as published, case when random() < 0.02 then -1 - floor(random() * 999)::int else 0 end as position,
    case when random() < 0.6 then 0 else least(power(1 - random(), -1.4), 1e9)::bigint end as popularity
from generate_series(0, $1::int - 1) n
"""

PRODUCTS = """
insert into catalog_product (
    id, slug, category, titles, descriptions, tags, status, position, popularity, lowest_units, search_terms, created_at,
    updated_at
)
select d.id, b.en || '-' || d.n, b.category, jsonb_build_object('zh-CN', title.zh, 'en', title.en),
    jsonb_build_object('zh-CN', title.zh || '：购买后即时发货，按页面提示兑换，支持七天内无理由退换未使用的卡密。', 'en', title.en || $3::text),
    tag.names, case when d.published then 'published' else 'archived' end, d.position, d.popularity,
    round(face.values[1] * d.discount * 100) * 100,
    array(
        select distinct term from unnest(
            b.terms || k.terms || r.terms || tag.terms || face.terms || array[
                right(b.zh, 1) || left(k.zh, 1), right(k.zh, 1) || left(r.zh, 1), '元', 'c', 'cn', 'cny'
            ] || array(select left(d.n::text, i) from generate_series(1, length(d.n::text)) i)
        ) term order by term
    ), uuid_extract_timestamp(d.id), uuid_extract_timestamp(d.id)
from bench_drawn d
join bench_brand b on b.n = d.brand
join bench_kind k on k.n = d.kind
join bench_region r on r.n = d.region
cross join lateral (
    select b.zh || k.zh || r.zh as zh, rtrim(initcap(b.en) || ' ' || k.en || ' ' || r.en) as en
) title
join bench_tags tag on tag.n = floor(d.tags * 1000)::int
join bench_faces face on face.first_face = d.first_face and face.faces = d.faces
where d.n >= $1::int and d.n < $2::int
order by d.n
"""

VARIANTS = """
insert into catalog_variant (id, product, sku, titles, stock_kind, position, status, created_at, updated_at)
select uuidv7(), d.id, d.n || '-' || f.face, jsonb_build_object('zh-CN', f.face || ' 元', 'en', f.face || ' CNY'),
    'unlimited', f.face, 'published', uuid_extract_timestamp(d.id), uuid_extract_timestamp(d.id)
from bench_drawn d join bench_faces face on face.first_face = d.first_face and face.faces = d.faces
cross join lateral unnest(face.values) f (face)
where d.n >= $1::int and d.n < $2::int
"""

PRICES = """
insert into catalog_price (id, variant, tier, min_quantity, currency, units, updated_at)
select uuidv7(), v.id, tier.name, 1, 'CNY', round(v.position * d.discount * tier.of_retail * 100) * 100, now()
from bench_drawn d join catalog_variant v on v.product = d.id
cross join (values ('retail', 1.0), ('agent', 0.97)) tier (name, of_retail)
where d.n >= $1::int and d.n < $2::int and (tier.name = 'retail' or hashint4(d.n) % 100 < 15)
"""


LISTED = """
insert into catalog_listed (listing, product, position, popularity, units)
select l.id, p.id, p.position, p.popularity, p.lowest_units
from catalog_product p
cross join lateral unnest(p.search_terms || '/'::text || catalog_price_band(p.lowest_units)) t (term)
join catalog_listing l on l.term = t.term and l.listed
where p.status = 'published'
order by 1, 2
"""

# What every row would be checked for, one by one.
LINKS = """
select conrelid::regclass::text as of, conname as name, pg_get_constraintdef(oid) as link from pg_constraint
where contype = 'f' and conrelid in ('catalog_product'::regclass, 'catalog_variant'::regclass, 'catalog_price'::regclass)
"""

CUT = "bench_brand, bench_kind, bench_region, bench_tags, bench_faces, bench_drawn"


async def fill(kernel: Kernel, products: int) -> None:
    """Fill an empty catalogue: products with variants and prices, their lists, and the words whose lists are kept."""
    db, chance = kernel.db, random.Random(20261122)
    await db.execute(PARTS)
    async with db.transaction():
        leaves = await _categories(db)
        await _parts(db, chance, leaves)
    brands = [1 / (number + 8) for number in range(BRANDS)]
    await db.execute("analyze")
    async with db.transaction():
        await db.execute("select setseed(0.2026)")
        scales = [
            _scale(brands),
            _scale([kind[2] for kind in KINDS]),
            _scale([region[2] for region in REGIONS]),
        ]
        await db.execute(DRAW, products, *scales)
    await db.execute("create index on bench_drawn (n)")
    await db.execute("analyze bench_drawn")
    later = [
        index
        for index in (*tables.INDEXES, *listing_tables.INDEXES)
        if index.create.startswith(("create index", "create trigger"))
    ]
    for index in reversed(later):
        await db.execute(index.undo)
    links = await db.fetch(LINKS)
    for row in links:
        await db.execute(f"alter table {row['of']} drop constraint {row['name']}")
    for first in range(0, products, CHUNK):
        last = min(first + CHUNK, products)
        await db.execute(
            PRODUCTS, first, last, " is delivered at once; redeem it as the page of the publisher says."
        )
        await db.execute(VARIANTS, first, last)
        await db.execute(PRICES, first, last)
        say(f"{last:,} products")
    await db.execute(f"drop table {CUT}")
    for row in links:
        await db.execute(f"alter table {row['of']} add constraint {row['name']} {row['link']}")
    await _create(db, [index for index in later if index in tables.INDEXES])
    await db.execute("vacuum analyze")
    await db.execute(
        "insert into catalog_listing (term, listed) select '/' || path, true from catalog_category"
    )
    await db.execute(LISTED)
    await db.execute(COUNT_LISTED)
    await choose_lists(kernel)
    await _create(db, [index for index in later if index in listing_tables.INDEXES])
    await db.execute("vacuum analyze catalog_listed")
    kernel.services.get(KnownLists).forget()
    say("lists")


async def _create(db: Database, indexes: Iterable[Index]) -> None:
    for index in indexes:
        async with db.transaction():
            await db.execute("set local maintenance_work_mem = '512MB'")
            await db.execute(index.create)


def _scale(weights: Iterable[float]) -> list[float]:
    """Where on a scale from 0 to 1 one part ends and the next begins, for ``width_bucket``."""
    sums = list(accumulate(weights))
    return [total / sums[-1] for total in sums[:-1]]


async def _categories(db: Database) -> list[list[tuple[Any, str]]]:
    """Put in three levels of categories; gives key and path of the lowest, by root."""
    rows: list[tuple[Any, ...]] = []
    leaves: list[list[tuple[Any, str]]] = []

    def put(parent: Any, path: str, zh: str, en: str) -> Any:
        key = new_id()
        rows.append((key, parent, path, orjson.dumps({"zh-CN": zh, "en": en}).decode(), len(rows)))
        return key

    for slug, zh, en, _, children in ROOTS:
        root = put(None, slug, zh, en)
        leaves.append([])
        for number in range(children):
            path = f"{slug}/{slug[0]}{number}"
            child = put(root, path, f"{zh}{number}", f"{en} {number}")
            for letter in "abcd":
                leaf = f"{path}/{letter}"
                leaves[-1].append((put(child, leaf, f"{zh}{number}{letter}", f"{en} {number}{letter}"), leaf))
    await db.executemany(
        "insert into catalog_category (id, parent, path, titles, position, created_at) values ($1, $2, $3, $4, $5, now())",
        rows,
    )
    return leaves


async def _parts(db: Database, chance: random.Random, leaves: list[list[tuple[Any, str]]]) -> None:
    brands = []
    for number in range(BRANDS):
        zh = "".join(chance.choice(HAN) for _ in range(chance.randint(2, 4)))
        en = "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(2, 4)))
        of_root = chance.choices(leaves, [root[3] for root in ROOTS])[0]
        # Squared, so that the first leaves of a root hold most of it.
        key, path = of_root[int(chance.random() ** 2 * len(of_root))]
        brands.append((number, zh, en, [*path_terms(path), *terms_of([zh, en])], key))
    await db.copy("bench_brand", ("n", "zh", "en", "terms", "category"), brands)
    for table, parts in (("bench_kind", KINDS), ("bench_region", REGIONS)):
        rows = [(n, zh, en, terms_of([zh, en])) for n, (zh, en, _) in enumerate(parts)]
        await db.copy(table, ("n", "zh", "en", "terms"), rows)
    drawn = [[tag for tag, share in TAGS if chance.random() * 100 < share] for _ in range(1_000)]
    tags = [(n, names, [*map(tag_term, names), *terms_of(names)]) for n, names in enumerate(drawn)]
    await db.copy("bench_tags", ("n", "names", "terms"), tags)
    faces = []
    for first in range(len(FACES)):
        for count in range(1, 5):
            values = sorted(FACES[(first + 3 * step) % len(FACES)] for step in range(count))
            faces.append((first, count, values, terms_of(map(str, values))))
    await db.copy("bench_faces", ("first_face", "faces", "values", "terms"), faces)
