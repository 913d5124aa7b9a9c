"""Imports in the back office: upload, preview, confirm, progress, problems, roll-back."""

from __future__ import annotations

import re

from kameng.tasks import drain
from tests.themes.conftest import Shop, text_of
from tests.themes.office import colleague, upload

CARDS = "sku,secret\n" + "".join(f"PLUM-50,FIFTY-{number:05d}-PLUM\n" for number in range(300))


async def test_cards_are_previewed_confirmed_and_taken_back(shop: Shop) -> None:
    office = await shop.first_administrator()

    # given a file of which nothing is written yet
    sent = await upload(office, "/admin/imports?kind=cards", "start_card_import", "c.csv", CARDS.encode())
    assert sent.status_code == 303, text_of(sent)
    job = sent.headers["location"]
    assert job.startswith("/admin/jobs/")
    waiting = await office.get(job)
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in waiting.text
    await drain(shop.kernel)
    preview = await office.get(job)
    assert "Preview: nothing has been changed" in text_of(preview)
    assert "data-final" in preview.text
    assert "http-equiv" not in preview.text
    assert "FIFTY-" not in preview.text
    assert await shop.kernel.db.fetchval("select count(*) from catalog_card") == 3

    # when it is confirmed
    done = await office.send(job, "confirm_job")
    assert done.status_code == 303, text_of(done)
    await drain(shop.kernel)

    # then they are there, and the preview cannot be confirmed again
    assert await shop.kernel.db.fetchval("select count(*) from catalog_card") == 303
    result = await office.get(done.headers["location"])
    assert "Done" in text_of(result)
    again = await office.get(job)
    assert "See the job that did it" in text_of(again)
    assert "_form=confirm_job" not in again.text
    assert re.search(r"PLUM-50 .* 300", text_of(await office.get("/admin/stock?sku=PLUM-50")))

    # and can be taken back as a whole
    back = await office.send(done.headers["location"], "roll_back_job")
    assert back.status_code == 303, text_of(back)
    await drain(shop.kernel)
    assert "Rolled back" in text_of(await office.get(done.headers["location"]))
    listed = text_of(await office.get("/admin/jobs"))
    assert "Rolled back" in listed
    assert "Preview ready" in listed


async def test_rows_with_problems_are_told_and_can_be_left_out(shop: Shop) -> None:
    office = await shop.first_administrator()
    file = b"sku,currency,price\nPLUM-10,CNY,9.30\nNO-SUCH,CNY,1.00\n"

    sent = await upload(office, "/admin/imports?kind=prices", "start_price_import", "p.csv", file)
    await drain(shop.kernel)
    preview = await office.get(sent.headers["location"])

    assert "1 rows have problems." in text_of(preview)
    assert "Rows with problems" in text_of(preview)
    assert "9.50" in text_of(preview)
    assert "9.30" in text_of(preview)
    done = await office.send(sent.headers["location"], "confirm_job", input__keepGood="true")
    await drain(shop.kernel)
    assert done.status_code == 303, text_of(done)
    assert "CN¥9.30" in text_of(await shop.open().get("/products/plum"))


async def test_a_file_that_is_missing_is_told_at_its_field(shop: Shop) -> None:
    office = await shop.first_administrator("zh-CN")
    refused = await office.send("/admin/imports?kind=products", "start_product_import")
    assert refused.status_code == 422
    assert 'id="field-input-file-products-error"' in refused.text


async def test_one_sees_the_imports_that_one_may_start(shop: Shop) -> None:
    office = await shop.first_administrator()
    clerk = await colleague(shop, office, "catalog.read_products", "catalog.manage_prices")

    page = await clerk.get("/admin/imports?kind=cards")

    assert "_form=start_price_import" in page.text
    assert "start_card_import" not in page.text
    assert "Card secrets" not in text_of(page)
