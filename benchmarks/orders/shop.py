"""The shop that orders are placed in: variants with cards, members with money."""

from uuid import UUID

from kameng.auth import PrincipalKind
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng_catalog.sealing import sealed_for

BUYERS = 64
VARIANTS = 200


async def seed(kernel: Kernel, cards: int, buyers: int = BUYERS) -> tuple[list[UUID], list[str]]:
    """Variants with cards, half of them of the first; members with money and a session. Returns variants and tokens."""
    db = kernel.db
    category, batch = new_id(), new_id()
    variants = [new_id() for _ in range(VARIANTS)]
    members = [new_id() for _ in range(buyers)]
    async with db.transaction():
        await db.execute("create table bench_variant (n int primary key, id uuid not null)")
        await db.execute(
            "create table bench_member (n int primary key, member uuid not null, account uuid not null)"
        )
        await db.execute(
            "insert into catalog_category (id, path, titles) values ($1, 'bench', '{\"en\": \"Bench\"}')",
            category,
        )
        products = [new_id() for _ in variants]
        await db.execute(
            """insert into catalog_product (id, slug, category, titles, descriptions, status, created_at, updated_at)
               select id, 'bench-' || n, $2, '{"en": "Bench"}', '{}', 'published', now(), now()
               from unnest($1::uuid[]) with ordinality p (id, n)""",
            products, category,
        )  # fmt: skip
        await db.execute(
            """insert into catalog_variant (id, product, sku, titles, stock_kind, status, created_at, updated_at)
               select id, product, 'BENCH-' || n, '{"en": "One"}', 'card', 'published', now(), now()
               from unnest($1::uuid[], $2::uuid[]) with ordinality v (id, product, n)""",
            variants, products,
        )  # fmt: skip
        await db.execute(
            """insert into catalog_price (id, variant, tier, min_quantity, currency, units, updated_at)
               select uuidv7(), id, 'retail', 1, 'CNY', 30000, now() from unnest($1::uuid[]) v (id)""",
            variants,
        )
        await db.executemany("insert into bench_variant values ($1, $2)", list(enumerate(variants)))
        await db.execute(
            """insert into catalog_stock_batch (id, source, file_name, card_count, created_by, created_at)
               values ($1, 'bench', '', $2, 'bench', now())""",
            batch, cards,
        )  # fmt: skip
        await _cards(kernel, variants, batch, cards)
        await db.execute(
            """insert into membership_member (id, email, password_hash, level)
               select m.id, m.id || '@example.com', 'none', l.id
               from unnest($1::uuid[]) m (id) cross join membership_level l where l.code = 'retail'""",
            members,
        )
        await _money(kernel, members)
    await db.execute("vacuum analyze")
    opened = [await kernel.auth.sessions.open(PrincipalKind.MEMBER, member) for member in members]
    return variants, [session.token for session in opened]


async def _cards(kernel: Kernel, variants: list[UUID], batch: UUID, cards: int) -> None:
    first = 0
    while first < cards:
        count = min(50_000, cards - first)
        key = await kernel.vault.new_key("catalog.card:bench")
        owners = [
            variants[0] if n % 2 else variants[n // 2 % len(variants)] for n in range(first, first + count)
        ]
        marks = [n.to_bytes(16, "big") for n in range(first, first + count)]
        sealed = await kernel.vault.seal_many(
            key,
            [
                (f"SECRET-{first + n}".encode(), sealed_for(owner, mark))
                for n, (owner, mark) in enumerate(zip(owners, marks, strict=True))
            ],
        )
        await kernel.db.copy(
            "catalog_card",
            ["variant", "batch", "sealed", "data_key", "blind_index"],
            [
                (owner, batch, secret, key.id, mark)
                for owner, secret, mark in zip(owners, sealed, marks, strict=True)
            ],
        )
        first += count
    await kernel.db.execute(
        "insert into catalog_free_card (card, variant) select id, variant from catalog_card"
    )


async def _money(kernel: Kernel, members: list[UUID]) -> None:
    from kameng_settlement.chart import OPERATOR_FUNDS, SALES, house, wallet_of
    from kameng_settlement.ledger import Entry, Ledger, Transfer

    ledger = kernel.services.get(Ledger)
    funds, sales = house(OPERATOR_FUNDS, "CNY"), house(SALES, "CNY")
    wallets = [wallet_of(member, "CNY") for member in members]
    accounts = await ledger.accounts.open((*wallets, funds, sales))
    for wallet in wallets:
        transfer = Transfer(accounts[funds], accounts[wallet], 10**12, "CNY")
        await ledger.post(Entry(key=f"bench:{new_id()}", kind="manual_credit", transfers=(transfer,)))
    rows = [
        (n, member, accounts[wallet]) for n, (member, wallet) in enumerate(zip(members, wallets, strict=True))
    ]
    await kernel.db.executemany(
        "insert into bench_member values ($1, $2, $3)", [*rows, (-1, new_id(), accounts[sales])]
    )
