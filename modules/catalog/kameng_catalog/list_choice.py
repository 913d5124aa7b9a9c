"""Choosing the words whose lists are kept, from a sample of the products, every night.

A list costs a row for each of its products and is written with each of their changes, so it is kept only where nothing else
is quick. A rare word needs none: the search index finds its products, and sorting them is nothing. A word that is common
everywhere needs none: a walk through a wider list meets it soon. In between, and where a word is common in one part of an
order and missing in another, neither is quick; these words are kept. Beginnings of words are not, for somebody who is
still typing.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from kameng.db import Statement
from kameng_catalog.attributes.values import attribute_terms
from kameng_catalog.known_lists import KnownLists
from kameng_catalog.search_index import read_texts, texts_of
from kameng_catalog.searching import tag_term, words_of

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SAMPLE = 50_000
"""Products that are looked at."""

CHUNK = 1_000
"""Products that are read at once."""

RARE = 1_000
"""A word of so many products needs no list."""

EVERYWHERE = 0.25
"""A word that so many products of each part of each order have needs none either."""

COMMON = 0.003
"""The share from which a term's size is remembered, for estimates."""

ROWS_PER_PRODUCT = 12
"""So many rows the lists of words may have, for each product."""

PARTS = 10
"""Parts of an order that are looked at."""

AT_ONCE = 100_000
"""Rows that are written in one transaction, during which no product can be changed."""

# Whoever puts products into lists shares the lock that this takes; so no change of a product falls between reading the
# products of a list and the list's first appearance.
ALONE = Statement("catalog.own_listings", "select pg_try_advisory_xact_lock(hashtext('catalog.listings'))")

SAMPLED = Statement(
    "catalog.sample_products",
    """
    select id, search_terms, popularity, lowest_units from catalog_product tablesample bernoulli ($1)
    where status = 'published' order by id
    """,
)

PUT_KNOWN = Statement(
    "catalog.put_known_terms",
    """
    insert into catalog_listing (term, products) select * from unnest($1::text[], $2::bigint[])
    on conflict (term) do update set products = excluded.products
    """,
)

FORGET = Statement(
    "catalog.forget_terms", "delete from catalog_listing where not listed and term <> all($1::text[])"
)

KEEP = Statement(
    "catalog.keep_lists",
    "update catalog_listing set listed = true, retired_at = null where term = any($1::text[])",
)

FILL = Statement(
    "catalog.fill_lists",
    """
    insert into catalog_listed (listing, product, position, popularity, units)
    select l.id, p.id, p.position, p.popularity, p.lowest_units
    from catalog_listing l
    join catalog_product p on p.search_terms @> array[l.term] and p.status = 'published'
    where l.term = any($1::text[])
    order by l.id, p.id
    on conflict (listing, product) do nothing
    """,
)

RETIRE = Statement(
    "catalog.retire_lists",
    """
    update catalog_listing set retired_at = case when term = any($1::text[]) then null else coalesce(retired_at, now()) end
    where listed and term !~ '^[/$]'
        and (retired_at is null) <> (term = any($1::text[]))
    """,
)

LISTED = Statement("catalog.listed_terms", "select term, products from catalog_listing where listed")

RETIRED = Statement(
    "catalog.retired_lists",
    "select id from catalog_listing where listed and retired_at < now() - interval '1 hour' limit 20",
)

EMPTY = Statement("catalog.empty_lists", "delete from catalog_listed where listing = any($1::int[])")

DROP = Statement("catalog.drop_lists", "delete from catalog_listing where id = any($1::int[])")

log = structlog.get_logger(__name__)


@dataclass
class Sample:
    """Products that were looked at.

    Attributes:
        of: how many products there are in all.
        terms: of each product in the order of their keys.
        popularity, units: the same products' sales and prices.
        words: the terms among these that lists may be kept for.
    """

    of: int
    terms: list[frozenset[str]] = field(default_factory=list)
    popularity: list[int] = field(default_factory=list)
    units: list[int | None] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def add(self, rows: Iterable[Any], texts: Iterable[Any]) -> None:
        """Look at products."""
        for row in rows:
            self.terms.append(frozenset(row["search_terms"]))
            self.popularity.append(row["popularity"])
            self.units.append(row["lowest_units"])
        for row in texts:
            self.words |= words_of(texts_of(row))
            self.words |= {tag_term(tag) for tag in row["tags"]}
            self.words.update(attribute_terms(orjson.loads(row["attributes"])))

    def products(self) -> dict[str, int]:
        """About how many products have each term."""
        counts = Counter(term for terms in self.terms for term in terms)
        each = self.of / max(len(self.terms), 1)
        return {term: round(count * each) for term, count in counts.items()}

    def least_shares(self, wanted: frozenset[str]) -> dict[str, float]:
        """Of each of these terms its share in that part of an order in which it is rarest."""
        numbers = range(len(self.terms))
        orders: Sequence[list[int]] = (
            list(numbers),
            sorted(numbers, key=lambda number: self.popularity[number]),
            sorted(
                (number for number in numbers if self.units[number] is not None),
                key=lambda number: self.units[number] or 0,
            ),
        )
        least: dict[str, float] = defaultdict(lambda: 1.0)
        for order in orders:
            size = len(order) // PARTS
            for part in range(PARTS if size else 0):
                here = Counter(
                    term
                    for number in order[part * size : (part + 1) * size]
                    for term in self.terms[number] & wanted
                )
                for term in wanted:
                    least[term] = min(least[term], here[term] / size)
        return dict(least)


def choose(sample: Sample, kept: Iterable[str] = ()) -> tuple[dict[str, int], dict[str, int]]:
    """The words to keep lists for, and the other common terms, with about how many products each has.

    Args:
        sample: the products.
        kept: the words that have lists; they keep them until they are half as common as a new one would have to be.
    """
    products = sample.products()
    there = frozenset(kept)
    candidates = {
        word: products[word]
        for word in sample.words
        if products.get(word, 0) >= (RARE / 2 if word in there else RARE)
    }
    least = sample.least_shares(frozenset(candidates))
    wanted: dict[str, int] = {}
    room = ROWS_PER_PRODUCT * sample.of
    # Those with the fewest products first: a list is worth the same whatever it costs.
    for word, size in sorted(candidates.items(), key=lambda item: (item[1], item[0])):
        if least[word] < EVERYWHERE and size <= room:
            wanted[word] = size
            room -= size
    common = {
        term: size
        for term, size in products.items()
        if size >= max(COMMON * sample.of, RARE) and term not in wanted and not term.startswith("/")
    }
    return wanted, common


async def choose_lists(kernel: Kernel) -> None:
    """Begin to keep lists, and drop those that are not worth it any more. Run every night by a worker."""
    sample = await _sample(kernel)
    there = {
        row["term"]: row["products"] for row in await kernel.db.fetch(LISTED) if row["term"][0] not in "/$"
    }
    wanted, common = await asyncio.to_thread(choose, sample, there)
    await kernel.db.execute(RETIRE, list(wanted))
    await _drop(kernel)
    known = {**common, **wanted}
    await kernel.db.execute(FORGET, list(known))
    await kernel.db.execute(PUT_KNOWN, list(known), list(known.values()))
    await _keep(kernel, {word: size for word, size in wanted.items() if word not in there})
    kernel.services.get(KnownLists).forget()


async def _sample(kernel: Kernel) -> Sample:
    count = await kernel.db.fetchval("select count(*) from catalog_product where status = 'published'")
    sample = Sample(count)
    if count <= RARE:
        return sample
    rows = await kernel.db.fetch(SAMPLED, min(SAMPLE / count, 1.0) * 100)
    for first in range(0, len(rows), CHUNK):
        chunk = rows[first : first + CHUNK]
        texts = await read_texts(kernel.db, [row["id"] for row in chunk])
        await asyncio.to_thread(sample.add, chunk, texts)
    return sample


async def _keep(kernel: Kernel, words: Mapping[str, int]) -> None:
    batch: list[str] = []
    size = 0
    for word, products in words.items():
        batch.append(word)
        size += products
        if size >= AT_ONCE:
            await _fill(kernel, batch)
            batch, size = [], 0
    if batch:
        await _fill(kernel, batch)


async def _fill(kernel: Kernel, words: Sequence[str]) -> None:
    async with kernel.db.transaction():
        if await kernel.db.fetchval(ALONE):
            await kernel.db.execute(KEEP, words)
            await kernel.db.execute(FILL, words)
        else:
            log.info("catalog.lists_left_for_later", words=len(words))


async def _drop(kernel: Kernel) -> None:
    while retired := [row["id"] for row in await kernel.db.fetch(RETIRED)]:
        async with kernel.db.transaction():
            if not await kernel.db.fetchval(ALONE):
                return
            await kernel.db.execute(EMPTY, retired)
            await kernel.db.execute(DROP, retired)
