"""Orders with a form: the answers are checked before anything is taken, and kept as they were given."""

from __future__ import annotations

from typing import Any

from kameng.ids import global_id, new_id

from .conftest import OWNER, Shop

SET_FORM = """
mutation($input: SetProductFormInput!, $key: String!) {
  setProductForm(input: $input) @idempotent(key: $key) {
    product { form { name kind required region labels { locale text } choices { value } } }
    errors { code path message }
  }
}
"""
PLACE = """
mutation($input: PlaceOrderInput!, $key: String!) {
  placeOrder(input: $input) @idempotent(key: $key) {
    order { number lines { answers { name label value } } }
    errors { code path message }
  }
}
"""
FIELDS = [
    {
        "name": "phone",
        "kind": "PHONE",
        "labels": [{"locale": "en", "text": "Phone"}, {"locale": "zh-CN", "text": "手机号"}],
        "carriers": ["China Mobile"],
        "private": True,
    },
    {
        "name": "server",
        "kind": "CHOICE",
        "labels": [{"locale": "en", "text": "Server"}],
        "choices": [{"value": "eu", "labels": [{"locale": "en", "text": "Europe"}]}],
    },
]


async def set_form(shop: Shop, sku: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    product = await shop.kernel.db.fetchval("select product from catalog_variant where sku = $1", sku)
    value = {"id": global_id("Product", product), "fields": fields}
    answer = await shop.ask("admin", SET_FORM, {"input": value, "key": str(new_id())}, OWNER)
    assert answer.errors is None, answer.errors
    payload: dict[str, Any] = answer.data["setProductForm"]
    return payload


async def place(shop: Shop, member: Any, variant: Any, answers: list[dict[str, str]] | None, key: str) -> Any:
    line = {"variantId": global_id("Variant", variant), "quantity": 1, "answers": answers}
    answer = await shop.ask("shop", PLACE, {"input": {"lines": [line]}, "key": key}, member)
    assert answer.errors is None, answer.errors
    return answer.data["placeOrder"]


async def test_a_form_is_shown_in_the_shop(shop: Shop) -> None:
    await shop.stock("TOPUP", "1", [])
    payload = await set_form(shop, "TOPUP", FIELDS)
    assert payload["errors"] == []
    assert [field["name"] for field in payload["product"]["form"]] == ["phone", "server"]
    document = """{ product(slug: "topup") { form { name kind label help required region carriers
      characters minLength maxLength choices { value label } } } }"""
    shown = await shop.ask("shop", document, None, await shop.member())
    assert shown.data["product"]["form"] == [
        {
            "name": "phone", "kind": "PHONE", "label": "Phone", "help": None, "required": True, "region": "CN",
            "carriers": ["China Mobile"], "characters": "ANY", "minLength": 1, "maxLength": 200, "choices": [],
        },
        {
            "name": "server", "kind": "CHOICE", "label": "Server", "help": None, "required": True, "region": None,
            "carriers": [], "characters": "ANY", "minLength": 1, "maxLength": 200,
            "choices": [{"value": "eu", "label": "Europe"}],
        },
    ]  # fmt: skip
    assert (await set_form(shop, "TOPUP", []))["product"]["form"] == []


async def test_a_form_that_cannot_be_filled_in_is_refused_and_the_old_one_stays(shop: Shop) -> None:
    await shop.stock("TOPUP", "1", [])
    await set_form(shop, "TOPUP", FIELDS)
    payload = await set_form(shop, "TOPUP", [{**FIELDS[1], "choices": []}])
    assert payload["product"] is None
    assert payload["errors"][0]["path"] == ["input", "fields", "server"]
    payload = await set_form(shop, "TOPUP", [{**FIELDS[0], "name": "no name"}])
    assert payload["errors"][0]["code"] == "INVALID_INPUT"
    stored = await shop.kernel.db.fetchval("select jsonb_array_length(form) from catalog_product")
    assert stored == 2


async def test_answers_are_checked_before_anything_is_taken_and_kept_with_the_order(shop: Shop) -> None:
    variant = await shop.stock("TOPUP", "1", ["a", "b"])
    await set_form(shop, "TOPUP", FIELDS)
    member = await shop.member("10")
    before = await shop.state()
    # when an answer is missing, wrong, or not asked for
    for answers, path in (
        (None, ["input", "lines", "0", "answers", "phone"]),
        ([{"name": "phone", "value": "13812345678"}], ["input", "lines", "0", "answers", "server"]),
        (
            [{"name": "server", "value": "us"}, {"name": "phone", "value": "13812345678"}],
            ["input", "lines", "0", "answers", "0", "value"],
        ),
        (
            [{"name": "server", "value": "eu"}, {"name": "phone", "value": "13012345678"}],
            ["input", "lines", "0", "answers", "1", "value"],
        ),
    ):
        payload = await place(shop, member, variant, answers, str(new_id()))
        # then nothing happened, and the field is named
        assert payload["order"] is None
        assert [(error["code"], error["path"]) for error in payload["errors"]] == [
            ("FORM_ANSWER_WRONG", path)
        ]
    assert await shop.state() == before
    # and the right ones are kept as they were asked for, whatever becomes of the form
    good = [{"name": "server", "value": "eu"}, {"name": "phone", "value": "138 1234 5678"}]
    key = str(new_id())
    kept = [
        {"name": "phone", "label": "Phone", "value": "+8613812345678"},
        {"name": "server", "label": "Server", "value": "eu"},
    ]
    first = await place(shop, member, variant, good, key)
    assert first["order"]["lines"] == [{"answers": kept}]
    await set_form(shop, "TOPUP", [])
    again = await place(shop, member, variant, good, key)
    assert again["order"] == first["order"]


async def test_another_answer_under_the_same_key_is_a_conflict(shop: Shop) -> None:
    variant = await shop.stock("TOPUP", "1", ["a", "b"])
    await set_form(shop, "TOPUP", FIELDS[1:])
    member, key = await shop.member("10"), str(new_id())
    assert (await place(shop, member, variant, [{"name": "server", "value": "eu"}], key))["errors"] == []
    payload = await place(shop, member, variant, [{"name": "server", "value": "us"}], key)
    assert [error["code"] for error in payload["errors"]] == ["CONFLICT"]


async def test_a_product_without_a_form_asks_for_nothing(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    member = await shop.member("10")
    payload = await place(shop, member, variant, [{"name": "server", "value": "eu"}], str(new_id()))
    assert [error["code"] for error in payload["errors"]] == ["FORM_ANSWER_WRONG"]
