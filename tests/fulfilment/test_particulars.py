"""What buyers write reaches the staff: sealed in the database, shown to who may see it, each look in the audit log."""

from __future__ import annotations

from typing import Any

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.ids import global_id, new_id

from .conftest import OWNER, Shop

REVEAL = """mutation($input: RevealOrderParticularsInput!) { revealOrderParticulars(input: $input) {
  particulars { note contact invoice { title taxNumber email } } errors { code path } } }"""
PLACE = """mutation($input: PlaceOrderInput!, $key: String!) { placeOrder(input: $input) @idempotent(key: $key) {
  order { number } errors { code } } }"""
PLACE_AS_GUEST = """mutation($input: PlaceGuestOrderInput!, $key: String!) {
  placeGuestOrder(input: $input) @idempotent(key: $key) { order { number } errors { code } } }"""
INVOICE = {"title": "Plum Ltd", "taxNumber": "91110108-MA01234567", "email": "Books@Example.com"}


async def reveal(shop: Shop, number: str, principal: Principal = OWNER, reason: str = "he asked") -> Any:
    answer = await shop.ask("admin", REVEAL, {"input": {"number": number, "reason": reason}}, principal)
    assert answer.errors is None, answer.errors
    return answer.data["revealOrderParticulars"]


async def placed(shop: Shop, source: str, buyer: Principal, **more: Any) -> str:
    variant = await shop.stock("A-1", "3", ["A1", "A2"])
    lines = [{"variantId": global_id("Variant", variant), "quantity": 1}]
    value = {"input": {"lines": lines, **more}, "key": str(new_id())}
    answer = await shop.ask("shop", source, value, buyer, address="192.0.2.1")
    assert answer.errors is None, answer.errors
    (payload,) = answer.data.values()
    assert payload["errors"] == []
    return str(payload["order"]["number"])


async def test_a_members_note_and_invoice_are_shown_to_the_staff(shop: Shop) -> None:
    number = await placed(shop, PLACE, await shop.member("100"), note=" by noon, please ", invoice=INVOICE)
    invoice = {"title": "Plum Ltd", "taxNumber": "91110108MA01234567", "email": "books@example.com"}
    assert await reveal(shop, number) == {
        "particulars": {"note": "by noon, please", "contact": None, "invoice": invoice},
        "errors": [],
    }
    # and who saw it, and why, but not what
    entry = (await shop.kernel.audit.page()).entries[0]
    assert (entry.action, entry.details) == (
        "fulfilment.reveal_order_particulars",
        {"number": number, "reason": "he asked"},
    )


async def test_a_guests_contact_is_shown_to_the_staff(shop: Shop) -> None:
    number = await placed(shop, PLACE_AS_GUEST, VISITOR, contact="138 1234 5678", note="hello")
    assert (await reveal(shop, number))["particulars"] == {
        "note": "hello",
        "contact": "+8613812345678",
        "invoice": None,
    }


async def test_an_order_without_them_has_none(shop: Shop) -> None:
    number = await placed(shop, PLACE, await shop.member("100"))
    assert (await reveal(shop, number))["particulars"] == {"note": "", "contact": None, "invoice": None}


async def test_nobody_sees_them_without_the_permission_or_a_reason(shop: Shop) -> None:
    number = await placed(shop, PLACE, await shop.member("100"), note="secret")
    reader = Principal(
        kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"fulfilment.read_orders"})
    )
    before = len((await shop.kernel.audit.page()).entries)
    for refused, code in (
        (await reveal(shop, number, reader), "FORBIDDEN"),
        (await reveal(shop, number, reason=" "), "INVALID_INPUT"),
    ):
        assert refused["particulars"] is None
        assert [error["code"] for error in refused["errors"]] == [code]
    assert len((await shop.kernel.audit.page()).entries) == before
