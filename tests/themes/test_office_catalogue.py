"""Products, prices and stock in the back office: each journey once, and what a person may meet on the way."""

from __future__ import annotations

import re
from io import BytesIO

from PIL import Image

from kameng.tasks import drain
from tests.themes.conftest import Browser, Shop, text_of
from tests.themes.office import colleague, upload


async def test_a_product_is_made_priced_and_sold(shop: Shop) -> None:
    office = await shop.first_administrator()

    # given a category and a product in it
    made = await office.send(
        "/admin/categories",
        "create_category",
        **{"input.titles[0].text": "音乐", "input.titles[1].text": "Music", "input.slug": "music"},
    )
    assert made.status_code == 303, text_of(made)
    assert 'value="music"' in (await office.get("/admin/new-product")).text
    refused = await office.send(
        "/admin/new-product",
        "create_product",
        **{
            "input.titles[0].text": "歌",
            "input.titles[1].text": "Song",
            "input.slug": "No Good!",
            "input.category": "music",
        },
    )
    assert refused.status_code == 422
    product = await office.send(
        "/admin/new-product",
        "create_product",
        **{
            "input.titles[0].text": "歌",
            "input.titles[1].text": "Song",
            "input.slug": "song",
            "input.category": "music",
        },
    )
    assert product.headers["location"] == "/admin/products/song/edit", text_of(product)

    # when it gets texts, a picture, a variant that never runs out, and a price
    saved = await office.send(
        "/admin/products/song/edit",
        "update_product",
        **{
            "input.titles[1].text": "Song of songs",
            "input.descriptions[0].text": "响",
            "input.descriptions[1].text": "<b>Loud</b>",
            "input.seo[1].title": "Buy songs",
            "input.category": "music",
            "input.tags": "new",
        },
    )
    assert saved.status_code == 303, text_of(saved)
    file = BytesIO()
    Image.new("RGB", (60, 40), "navy").save(file, "PNG")
    picture = await upload(
        office,
        "/admin/products/song/edit",
        "add_product_media",
        "navy.png",
        file.getvalue(),
        media_type="image/png",
        **{"input.alts[0].text": "Navy"},
    )
    assert picture.status_code == 303, text_of(picture)
    variant = await office.send(
        "/admin/products/song",
        "create_variant",
        **{
            "input.sku": "SONG-1",
            "input.titles[0].text": "一首",
            "input.titles[1].text": "One",
            "input.stockKind": "UNLIMITED",
        },
    )
    assert variant.headers["location"] == "/admin/variants/SONG-1", text_of(variant)
    price = await office.send(
        "/admin/variants/SONG-1",
        "set_price",
        input__unit__amount="1.20",
        input__tier="retail",
        input__reason="first price",
    )
    assert price.status_code == 303, text_of(price)
    shown = text_of(await office.get("/admin/variants/SONG-1"))
    assert "Retail 1 CN¥1.20 always" in shown
    assert "first price" in shown
    edited = (await office.get("/admin/products/song/edit")).text
    assert "&lt;b&gt;Loud&lt;/b&gt;" in edited
    assert 'value="Navy"' in edited
    assert 'value="Buy songs"' in edited

    # then buyers see it once it is put up
    up = await office.send("/admin/variants/SONG-1", "save_variant", input__status="PUBLISHED")
    assert up.status_code == 303, text_of(up)
    await office.send("/admin/products/song", "publish_product")
    page = text_of(await shop.open().get("/products/song"))
    assert "Song of songs" in page
    assert "CN¥1.20" in page


async def test_many_products_are_taken_from_sale_at_once(shop: Shop) -> None:
    office = await shop.first_administrator()
    page = (await office.get("/admin/products?search=plum")).text
    assert 'name="input.filter.skus" value="PLUM-10"' in page

    job = await office.send(
        "/admin/products?search=plum",
        "start_status_change",
        **{"input.filter.skus": "PLUM-10", "input.status": "DRAFT"},
    )
    assert job.status_code == 303, text_of(job)
    await drain(shop.kernel)

    assert "Done" in text_of(await office.get(job.headers["location"]))
    assert (await shop.open().get("/products/plum")).status_code == 404


async def test_prices_change_by_a_formula_after_a_preview(shop: Shop) -> None:
    office = await shop.first_administrator()
    preview = await office.send(
        "/admin/prices?search=plum",
        "start_price_change",
        **{"input.formula.percent": "10", "input.formula.base": "PRICE", "input.reason": "autumn"},
    )
    assert preview.status_code == 303, text_of(preview)
    await drain(shop.kernel)

    told = text_of(await office.get(preview.headers["location"]))
    assert re.search(r"9\.50\S* → 10\.45", told), told
    assert "CN¥9.50" in text_of(await shop.open().get("/products/plum"))
    done = await office.send(preview.headers["location"], "confirm_job")
    await drain(shop.kernel)
    assert "CN¥10.45" in text_of(await shop.open().get("/products/plum"))
    await office.send(done.headers["location"], "roll_back_job")
    await drain(shop.kernel)
    assert "CN¥9.50" in text_of(await shop.open().get("/products/plum"))

    refused = await office.send("/admin/prices", "start_price_change", **{"input.formula.percent": "much"})
    assert refused.status_code == 422
    assert 'value="much"' in refused.text


async def batch_of(office: Browser) -> str:
    found = re.search(r'href="(/admin/batches/[^"]+)"', (await office.get("/admin/batches")).text)
    assert found
    return found[1]


async def test_a_batch_is_put_aside_let_back_and_recalled(shop: Shop) -> None:
    office = await shop.first_administrator()
    batch = await batch_of(office)

    await office.send(batch, "quarantine_batch", input__reason="complaints")
    await drain(shop.kernel)
    assert "In quarantine" in text_of(await office.get(batch))
    await office.send(batch, "readmit_batch", input__reason="false alarm")
    await drain(shop.kernel)
    assert "_form=readmit_batch" not in (await office.get(batch)).text
    gone = await office.send(batch, "recall_batch", input__reason="stolen")
    assert gone.status_code == 303, text_of(gone)
    await drain(shop.kernel)

    told = text_of(await office.get(batch))
    assert "Recalled" in told
    assert "_form=recall_batch" not in (await office.get(batch)).text
    assert "Recall the whole batch?" not in told


async def test_secrets_are_masked_until_somebody_who_may_gives_a_reason(shop: Shop) -> None:
    office = await shop.first_administrator()
    batch = await batch_of(office)
    page = (await office.get(batch)).text
    card = re.search(r'name="input.cards" value="([^"]+)"', page)
    assert card
    assert "-PLUM" not in page

    without = await office.send(batch, "reveal_cards", **{"input.cards": card[1], "input.reason": " "})
    assert without.status_code == 422
    assert "-PLUM" not in without.text
    told = await office.send(batch, "reveal_cards", **{"input.cards": card[1], "input.reason": "complaint 7"})
    assert told.status_code == 200, text_of(told)
    assert len(re.findall(r"[A-C]{4}-\d{4}-PLUM", told.text)) == 1
    assert told.headers["cache-control"] == "private, no-store"
    noted = await shop.kernel.db.fetchval(
        "select count(*) from kernel_audit where details::text like '%complaint 7%'"
    )
    assert noted == 1

    clerk = await colleague(shop, office, "catalog.read_products")
    seen = (await clerk.get(batch)).text
    assert "reveal_cards" not in seen
    assert "recall_batch" not in seen
