"""Exports as jobs: what is written imports to what was there, whatever it holds."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng.errors import Forbidden
from kameng.jobs import JobState
from kameng.tasks import drain
from kameng_catalog.exporting.writers import TableFormat

from .conftest import CLERK, DATA, Shop, as_csv
from .jobs import done, everything, file_of, start
from .test_admin import clerk

FORMATS = [kind.value for kind in TableFormat]


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize("kind", FORMATS)
async def test_the_example_products_come_back_unchanged(shop: Shop, kind: str) -> None:
    await shop.product_file(DATA / "products.csv")
    before = await everything(shop)

    job = await done(shop, "export_products", format=kind)

    assert job.result is not None
    assert (job.state, job.result.counts, job.rows_done) == (JobState.SUCCEEDED, {"rows": 340}, 340)
    file = await shop.kernel.jobs.files.of_role(job.id, "output")
    assert file is not None
    assert file.name.startswith("products-2")
    assert file.name.endswith(".xlsx" if kind == "xlsx" else ".csv")
    again = await done(shop, "import_products", await file_of(shop, job, "output"))
    assert again.result is not None
    assert again.result.counts == {"created": 0, "updated": 0, "unchanged": 340}
    assert await everything(shop) == before


async def test_an_export_makes_the_same_shop_elsewhere(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    exported = await file_of(shop, await done(shop, "export_products"), "output")
    before = await everything(shop)
    for table in ("price", "listing", "variant", "product"):
        await shop.kernel.db.execute(f"delete from catalog_{table}")
    await shop.kernel.db.execute("delete from catalog_category")

    made = await done(shop, "import_products", exported)

    assert made.state is JobState.SUCCEEDED
    after = await everything(shop)
    for table in ("category", "product", "variant"):
        # Keys are new; everything else is not.
        skipped = {"product": (1,)}.get(table, ())
        assert [without(row, skipped) for row in after[table]] == [
            without(row, skipped) for row in before[table]
        ]


def without(row: tuple[Any, ...], places: tuple[int, ...]) -> list[Any]:
    return [value for place, value in enumerate(row) if place not in places]


TEXTS = st.text(
    st.one_of(
        st.sampled_from("=+-@'\t\n\",;/#＝＠ x0"),
        st.characters(blacklist_categories=("Cc", "Cs", "Cn", "Co"), blacklist_characters="\ufeff"),
    ),
    max_size=15,
).map(str.strip)


@pytest.mark.parametrize("kind", FORMATS)
@given(
    titles=st.lists(TEXTS.filter(bool), min_size=4, max_size=4),
    description=TEXTS,
    tags=st.lists(TEXTS.filter(lambda text: text and ";" not in text), max_size=3),
    price=st.integers(0, 10**8),
    cost=st.one_of(st.none(), st.integers(0, 10**8)),
    currencies=st.tuples(st.sampled_from(["CNY", "USD", "JPY"]), st.sampled_from(["CNY", "USD"])),
    statuses=st.tuples(
        st.sampled_from(["draft", "published", "archived"]), st.sampled_from(["draft", "published"])
    ),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_stands_in_a_product_survives_a_round_trip(
    shop: Shop,
    kind: str,
    titles: list[str],
    description: str,
    tags: list[str],
    price: int,
    cost: int | None,
    currencies: tuple[str, str],
    statuses: tuple[str, str],
) -> None:
    import unicodedata

    from kameng.db.database import as_json
    from kameng.ids import new_id

    # Given a product as the back office may have made it
    texts = [unicodedata.normalize("NFC", text) for text in titles]
    db, category, product, variant = shop.kernel.db, new_id(), new_id(), new_id()
    for table in ("price", "listing", "variant", "product", "category"):
        await db.execute(f"delete from catalog_{table}")
    await db.execute(
        "insert into catalog_category (id, path, titles, position, created_at) values ($1, 'any', $2::jsonb, 0, now())",
        category, as_json({"en": texts[0], "zh-CN": "任何"}),
    )  # fmt: skip
    await db.execute(
        """insert into catalog_product (id, slug, category, titles, descriptions, tags, status, created_at, updated_at)
           values ($1, 'any', $2, $3::jsonb, $4::jsonb, $5, $6, now(), now())""",
        product, category, as_json({"zh-CN": texts[1], "en": texts[2]}),
        as_json({"en": unicodedata.normalize("NFC", description)} if description else {}),
        list(dict.fromkeys(unicodedata.normalize("NFC", tag) for tag in tags)), statuses[0],
    )  # fmt: skip
    await db.execute(
        """insert into catalog_variant (id, product, sku, titles, cost_units, cost_currency, status, created_at, updated_at)
           values ($1, $2, 'ANY-1', $3::jsonb, $4, $5, $6, now(), now())""",
        variant, product, as_json({"zh-CN": texts[3]}), cost, currencies[1] if cost is not None else None, statuses[1],
    )  # fmt: skip
    await db.execute(
        """insert into catalog_price (id, variant, tier, min_quantity, currency, units, updated_at)
           values ($1, $2, 'retail', 1, $3, $4, now())""",
        new_id(), variant, currencies[0], price,
    )  # fmt: skip
    # When it is exported and imported
    exported = await file_of(shop, await done(shop, "export_products", format=kind), "output")
    encoding = "gb18030" if kind == "csv-gb18030" else ""
    again = await done(shop, "import_products", exported, encoding=encoding, dry_run=True)
    # Then nothing changes
    assert again.result is not None, again.error
    assert (again.result.problems, again.result.changes) == ([], [])
    assert again.result.counts == {"created": 0, "updated": 0, "unchanged": 1}


@pytest.mark.parametrize("kind", FORMATS)
async def test_all_prices_come_back_unchanged(shop: Shop, kind: str) -> None:
    await shop.product_file(DATA / "products.csv")
    text = (
        "sku,currency,price,tier,from_quantity,site,starts_at,ends_at\n"
        "CMCC-10,CNY,10.0001,gold,10,,,\nCMCC-10,USD,2,vip,1,,,\nCMCC-10,CNY,12,,,north,,\n"
        "CMCC-10,CNY,11,,5,,2031-11-11T00:00:00+08:00,2031-11-12T00:00:00+08:00\n"
    )
    made = await done(shop, "import_prices", text)
    assert made.result is not None
    assert made.result.counts["created"] == 4, made.result.problems
    exported = await file_of(shop, await done(shop, "export_prices", format=kind), "output")
    again = await done(shop, "import_prices", exported)
    assert again.result is not None
    assert again.result.counts == {"created": 0, "updated": 0, "unchanged": 344}
    assert again.result.problem_count == 0


async def test_a_variant_without_a_price_is_told_and_left_out(shop: Shop) -> None:
    await shop.products({}, {"sku": "B-1", "product": "b"})
    await shop.kernel.db.execute(
        "delete from catalog_price where variant = (select id from catalog_variant where sku = 'B-1')"
    )
    job = await done(shop, "export_products", locale="zh-CN")
    assert job.result is not None
    assert (job.result.counts, job.problems) == ({"rows": 1}, 1)
    assert rows_of(await file_of(shop, job, "problems"))[1] == ["", "B-1", "没有零售价，商品文件无法包含它"]


async def test_a_filter_narrows_an_export(shop: Shop) -> None:
    await shop.products(
        {"tags": "hot;new"},
        {"sku": "B-1", "product": "b", "tags": ""},
        {"sku": "B-2", "product": "b", "tags": ""},
    )
    for wanted, skus in (
        ({"tag": "hot"}, ["A-1"]),
        ({"category": "game"}, ["A-1", "B-1", "B-2"]),
        ({"category": "gam"}, []),
        ({"sku_prefix": "B-"}, ["B-1", "B-2"]),
        ({"skus": ["B-2", "A-1"], "status": "published"}, ["A-1", "B-2"]),
        ({"search": "alpha", "product_status": "published", "kind": "card"}, ["A-1", "B-1", "B-2"]),
    ):
        job = await done(shop, "export_products", filter=wanted)
        assert [row[0] for row in rows_of(await file_of(shop, job, "output"))[1:]] == skus, wanted


async def test_a_list_of_cards_holds_no_secret(shop: Shop) -> None:
    variant = await shop.stocked()
    await shop.card_text("number,secret,expires_on\n77,first-secret,2031-01-01\n,second-secret,\n", "A-1")
    await shop.buy((variant, 1))
    job = await done(shop, "export_cards", cards={"sku": "A-1"})
    rows = rows_of(await file_of(shop, job, "output"))
    assert rows[0] == ["sku", "number", "expires_on", "batch", "state", "sold_at", "line", "quoted"]
    assert [(row[0], row[1], row[2], row[4], bool(row[5]), bool(row[6])) for row in rows[1:]] == [
        ("A-1", "77", "2031-01-01", "sold", True, True),
        ("A-1", "", "", "free", False, False),
    ]
    free = await done(shop, "export_cards", cards={"state": "free"}, format="xlsx")
    book = openpyxl.load_workbook(io.BytesIO(await file_of(shop, free, "output")))
    assert [row[4] for row in book.active.iter_rows(values_only=True)] == ["state", "free"]


@pytest.mark.parametrize("kind", FORMATS)
async def test_cards_with_their_secrets_come_back_as_they_were(shop: Shop, kind: str) -> None:
    # Given secrets that spreadsheets would spoil, and one that looks like it had been made harmless
    secrets = [
        "=1+1",
        "'=1+1",
        "-42",
        "+8613800138000",
        "@x",
        "00012345678901234567",
        "汉字€",
        'q"uote',
        "a,b;c",
    ]
    await shop.stocked()
    await shop.card_text(as_csv([{"secret": secret} for secret in secrets]), "A-1")
    # When they are exported by somebody who may
    assert await audited(shop) == []
    job = await done(shop, "export_card_secrets", cards={"sku": "A-1"}, format=kind, reason="moving house")
    # Then that is in the audit log, and the file imports to the same cards
    assert await audited(shop) == [(CLERK.id, {"cards": 9, "reason": "moving house", "job": str(job.id)})]
    file = await shop.kernel.jobs.files.of_role(job.id, "output")
    assert file is not None
    assert file.confidential
    exported = await file_of(shop, job, "output")
    for table in ("free_card", "card"):
        await shop.kernel.db.execute(f"delete from catalog_{table}")
    encoding = "gb18030" if kind == "csv-gb18030" else ""
    back = await done(shop, "import_cards", exported, encoding=encoding)
    assert back.result is not None, back.error
    assert (back.result.problems, back.result.counts["cards"]) == ([], 9)
    assert await shop.buy((await shop.key("A-1"), 9)) == [secrets]


async def audited(shop: Shop) -> list[tuple[Any, Any]]:
    page = await shop.kernel.audit.page(action="catalog.card_secrets_exported")
    return [(entry.principal_id, entry.details) for entry in page.entries]


async def test_secrets_need_their_own_permission_and_a_reason(shop: Shop) -> None:
    with pytest.raises(Forbidden, match=r"catalog\.export_secrets"):
        await shop.kernel.jobs.start(
            "catalog.export_card_secrets", principal=clerk("read_products", "reveal_cards"), cards={}
        )
    change = """mutation($reason: String!) { startCardSecretExport(input: {reason: $reason}) {
      job { kind state } errors { code path } } }"""
    mine = clerk("export_secrets")
    refused = await shop.ask(change, {"reason": "  "}, schema="admin", principal=mine)
    assert refused["startCardSecretExport"] == {
        "job": None, "errors": [{"code": "INVALID_INPUT", "path": ["input", "reason"]}],
    }  # fmt: skip
    made = await shop.ask(change, {"reason": "audit"}, schema="admin", principal=mine)
    assert made["startCardSecretExport"]["job"] == {"kind": "catalog.export_card_secrets", "state": "QUEUED"}


async def test_a_cancelled_export_leaves_no_file(shop: Shop) -> None:
    await shop.products({})
    job = await start(shop, "export_products")
    await shop.kernel.db.execute("update kernel_job set cancel_requested = true")
    await drain(shop.kernel)
    found = await shop.kernel.jobs.find(job.id, CLERK)
    assert found is not None
    assert found.state is JobState.CANCELLED
    assert await shop.kernel.jobs.files.of_role(job.id, "output") is None


async def test_jobs_are_started_by_mutations(shop: Shop) -> None:
    await shop.products({}, {"sku": "B-1", "product": "b", "price": "20.00"})
    change = """mutation($input: StartPriceChangeInput!) { startPriceChange(input: $input) {
      job { id title dryRun } errors { code path } } }"""
    formula = {"percent": "10", "ending": "0.99", "rounding": "UP"}
    given_input = {
        "formula": formula,
        "currency": "CNY",
        "dryRun": True,
        "filter": {"skuPrefix": "B", "stockKind": "CARD"},
    }
    mine = clerk("manage_prices")
    made = (await shop.ask(change, {"input": given_input}, schema="admin", principal=mine))[
        "startPriceChange"
    ]
    assert made["errors"] == []
    assert (made["job"]["title"], made["job"]["dryRun"]) == ("Bulk change of prices", True)
    await drain(shop.kernel)
    shown = await shop.ask(
        "query($id: ID!) { job(id: $id) { state report { changes { subject fields { name old new } } } } }",
        {"id": made["job"]["id"]}, schema="admin", principal=mine,
    )  # fmt: skip
    assert shown["job"] == {
        "state": "SUCCEEDED",
        "report": {
            "changes": [
                {"subject": "B-1", "fields": [{"name": "retail CNY", "old": "20.00", "new": "22.99"}]}
            ]
        },
    }
    wrong = {**given_input, "formula": {"percent": "much"}}
    refused = (await shop.ask(change, {"input": wrong}, schema="admin", principal=mine))["startPriceChange"]
    assert refused["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "formula", "percent"]}]
    publish = """mutation { startStatusChange(input: {status: ARCHIVED, filter: {search: "alpha"}}) {
      job { kind } errors { code } } }"""
    answer = await shop.ask(publish, schema="admin", principal=mine)
    assert answer["startStatusChange"] == {"job": None, "errors": [{"code": "FORBIDDEN"}]}
    answer = await shop.ask(publish, schema="admin", principal=clerk("manage_products"))
    assert answer["startStatusChange"]["job"] == {"kind": "catalog.change_statuses"}
