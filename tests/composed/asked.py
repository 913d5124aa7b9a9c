"""Documents whose SQL statements are counted: those of both themes, and lists as deep as the schemas allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kameng.auth import VISITOR, Principal
from kameng.ids import global_id
from kameng.testing.kernels import unique
from kameng.themes.documents import ThemeDocument
from kameng.themes.themes import load_themes
from tests.composed.filling import OWNER, Filling
from tests.composed.paid import DOCUMENTS as PAYMENT_DOCUMENTS
from tests.composed.reconciled import DOCUMENTS as RECONCILED_DOCUMENTS

Variables = Callable[[Filling, int], Mapping[str, Any]]


@dataclass(frozen=True)
class Asked:
    """A document and how it is asked.

    Attributes:
        schema: of which schema.
        source: the text.
        variables: from the shop and its number of rows.
        visitor: whether nobody is logged in; else it is the buyer, or the owner.
    """

    schema: Literal["shop", "admin"]
    source: str
    variables: Variables
    visitor: bool = False

    def principal(self, filling: Filling) -> Principal:
        """Who asks."""
        if self.visitor:
            return VISITOR
        return OWNER if self.schema == "admin" else filling.buyer or VISITOR


def _page(_filling: Filling, rows: int) -> Mapping[str, Any]:
    return {"first": rows}


def _member(filling: Filling, _rows: int) -> Mapping[str, Any]:
    assert filling.buyer is not None
    assert filling.buyer.id is not None
    return {"id": global_id("Member", filling.buyer.id)}


def _order(filling: Filling, _rows: int) -> Mapping[str, Any]:
    return {"number": filling.numbers[0]}


def _input(make: Callable[[Filling], Mapping[str, Any]]) -> Variables:
    return lambda filling, _rows: {"input": make(filling)}


def _of_member(**more: Any) -> Variables:
    return _input(lambda filling: {"memberId": _member(filling, 0)["id"], **more})


def _of_product(**values: Any) -> Variables:
    return _input(lambda filling: {"id": global_id("Product", filling.products_made[0]), **values})


def _site(filling: Filling, rows: int) -> Mapping[str, Any]:
    assert filling.site is not None
    return {"id": global_id("Site", filling.site), "first": rows}


def _batch(filling: Filling) -> str:
    assert filling.batch is not None
    return global_id("StockBatch", filling.batch)


def _job(filling: Filling, _rows: int) -> Mapping[str, Any]:
    assert filling.job is not None
    return {"id": global_id("Job", filling.job)}


def _of_variant(key: str, **values: Any) -> Variables:
    return _input(lambda filling: {key: global_id("Variant", filling.variants[0]), **values})


_SLUG = "row-0"
_SKU = "ROW-0-0"
_TITLES = [{"locale": "zh-CN", "text": "名"}, {"locale": "en", "text": "Name"}]
_MONEY = {"amount": "9.20", "currency": "CNY"}

OF_THEMES: dict[str, Variables | None] = {
    # None: it takes a password or a one-time link, and reads nothing that there could be more or less of.
    "storefront/account": _page,
    "storefront/add-to-cart": lambda filling, rows: {
        "input": {
            "lines": [
                {"variantId": global_id("Variant", variant), "quantity": 1}
                for variant in filling.variants[:rows]
            ]
        }
    },
    "storefront/cart": _page,
    "storefront/change-cart-line": _input(lambda filling: {"lineId": filling.cart_line, "quantity": 2}),
    "storefront/checkout": _page,
    # These are for visitors, who have nothing here: see tests/fulfilment/test_guests.py.
    "storefront/cancel-guest-order": None,
    "storefront/claim-guest-order": None,
    "storefront/guest-order": None,
    "storefront/look-up-order": None,
    "storefront/open-guest-order": None,
    "storefront/open-guest-ticket": None,
    "storefront/place-guest-order": None,
    "storefront/withdraw-guest-ticket": None,
    # What these read hangs on a payment, a ticket or an unpaid order that only a shop with a gateway has: see tests/themes.
    "storefront/add-transfer-proof": None,
    "storefront/cancel-order": None,
    "storefront/open-ticket": None,
    "storefront/order-changed": None,
    "storefront/pay-guest-order": None,
    "storefront/pay-order": None,
    "storefront/payment": None,
    "storefront/payment-changed": None,
    "storefront/send-order-link": None,
    "storefront/sitemap": _page,
    "storefront/start-payment": None,
    "storefront/suggestions": lambda _filling, _rows: {"search": "product"},
    "storefront/withdraw-ticket": None,
    # These change or show what a member alone has, one thing at a time: see tests/themes/test_account.py and test_texts.py.
    "storefront/save-recipient": None,
    "storefront/remove-recipient": None,
    "storefront/end-session": None,
    "storefront/end-other-sessions": None,
    "storefront/set-notification-preference": None,
    "storefront/request-data-export": None,
    "storefront/request-erasure": None,
    "storefront/withdraw-erasure": None,
    "storefront/redeem-gift-card": None,
    "storefront/top-up": None,
    "storefront/recipient": None,
    "storefront/announcement": None,
    "storefront/help-page": None,
    "storefront/announcements": _page,
    "storefront/erase": _page,
    "storefront/help": _page,
    "storefront/notifications": _page,
    "storefront/own-data": _page,
    "storefront/recipients": _page,
    "storefront/security": _page,
    "storefront/tickets": _page,
    "storefront/dismiss-left-out": lambda _filling, _rows: {},
    "storefront/remove-from-cart": _input(lambda filling: {"lineId": filling.cart_line}),
    "storefront/category": lambda _filling, rows: {"path": "shelf0/deep", "first": rows},
    "storefront/change-password": None,
    "storefront/home": _page,
    "storefront/layout": _page,
    "storefront/log-in": None,
    "storefront/log-out": None,
    "storefront/order": _order,
    "storefront/orders": _page,
    "storefront/place-order": lambda filling, rows: {
        "input": {
            "lines": [
                {"variantId": global_id("Variant", variant), "quantity": 1}
                for variant in filling.variants[:rows]
            ]
        }
    },
    "storefront/product": lambda _filling, _rows: {"slug": _SLUG},
    "storefront/products": _page,
    "storefront/register": None,
    "storefront/request-password-reset": None,
    "storefront/reset-password": None,
    "storefront/statement": _page,
    "admin/article": None,
    "admin/save-article": None,
    "admin/remove-article": None,
    "admin/erase-member": None,
    "admin/refuse-erasure": None,
    "admin/articles": _page,
    "admin/erasure-requests": _page,
    "admin/accept-invitation": None,
    "admin/archive-product": _of_product(),
    "admin/block-member": _of_member(reason="for a test"),
    "admin/change-password": None,
    "admin/create-first-administrator": None,
    "admin/credit-wallet": _of_member(amount=_MONEY, reason="for a test"),
    "admin/dashboard": _page,
    "admin/layout": _page,
    "admin/ledger": _page,
    "admin/log-in": None,
    "admin/log-out": None,
    "admin/member": lambda filling, rows: {**_member(filling, rows), "first": rows},
    "admin/members": _page,
    "admin/order": _order,
    "admin/orders": _page,
    "admin/product": lambda _filling, _rows: {"slug": _SLUG},
    "admin/product-form": lambda _filling, _rows: {"slug": _SLUG},
    "admin/products": _page,
    "admin/publish-product": _of_product(),
    "admin/sites": _page,
    "admin/site": _site,
    # What publishes a site insists on the draft that was seen: see tests/engine/sites.
    "admin/create-site": None,
    "admin/change-site": None,
    "admin/save-site-draft": None,
    "admin/set-site-logo": None,
    "admin/remove-site-logo": None,
    "admin/discard-site-draft": None,
    "admin/publish-site": None,
    "admin/restore-site-version": None,
    "admin/create-site-preview": None,
    # The back office's desk: lists are counted, and so is what changes one row among them elsewhere.
    "admin/tickets": _page,
    "admin/services": _page,
    "admin/stuck": _page,
    "admin/flash-sales": _page,
    "admin/suppliers": _page,
    "admin/supplier-orders": _page,
    "admin/webhooks": _page,
    "admin/webhook-deliveries": _page,
    "admin/notifications": _page,
    "admin/audit": _page,
    "admin/order-refund": _order,
    "admin/order-actions": None,
    "admin/ticket": None,
    "admin/service": None,
    "admin/supplier": None,
    "admin/supplier-order": None,
    "admin/webhook": None,
    "admin/hold-order": None,
    "admin/release-order": None,
    "admin/cancel-order": None,
    "admin/refund-order": None,
    "admin/deliver-line": None,
    "admin/fail-line": None,
    "admin/add-order-note": None,
    "admin/replace-card": None,
    "admin/confirm-order-payment": None,
    "admin/reveal-order-particulars": None,
    "admin/reveal-delivered": None,
    "admin/act-on-orders": None,
    "admin/start-order-export": None,
    "admin/save-view": None,
    "admin/delete-view": None,
    "admin/replace-ticket-card": None,
    "admin/refund-ticket-card": None,
    "admin/reject-ticket": None,
    "admin/claim-service": None,
    "admin/claim-next-service": None,
    "admin/release-service": None,
    "admin/deliver-service": None,
    "admin/fail-service": None,
    "admin/plan-flash-sale": None,
    "admin/end-flash-sale": None,
    "admin/create-supplier-account": None,
    "admin/change-supplier-account": None,
    "admin/set-supplier-account-enabled": None,
    "admin/test-supplier-account": None,
    "admin/fetch-supplier-products": None,
    "admin/save-supplier-offer": None,
    "admin/ask-supplier": None,
    "admin/give-up-supplier-order": None,
    "admin/resolve-supplier-order": None,
    "admin/deliver-kept-codes": None,
    "admin/reveal-kept-codes": None,
    "admin/create-webhook-endpoint": None,
    "admin/change-webhook-endpoint": None,
    "admin/set-webhook-endpoint-enabled": None,
    "admin/delete-webhook-endpoint": None,
    "admin/rotate-webhook-secret": None,
    "admin/reveal-webhook-secret": None,
    "admin/replay-webhook-deliveries": None,
    "admin/replay-webhook-range": None,
    "admin/send-webhook-test": None,
    "admin/retry-notifications": None,
    "admin/discard-notifications": None,
    "admin/send-test-notification": None,
    "admin/start-audit-export": None,
    "admin/start-audit-verification": None,
    # Money, people and settings: lists are counted; what is about one thing is tried in tests/themes/test_office_money.py.
    "admin/add-member-note": None,
    "admin/add-top-up-bonus": None,
    "admin/ask-gateway-again": None,
    "admin/bills": _page,
    "admin/claim-case": None,
    "admin/close-report-day": None,
    "admin/comment-case": None,
    "admin/confirm-password": None,
    "admin/confirm-transfer": None,
    "admin/create-staff": None,
    "admin/end-member-sessions": None,
    "admin/end-staff-sessions": None,
    "admin/gateways": _page,
    "admin/gift-card-batch": None,
    "admin/gift-cards": _page,
    "admin/holds": _page,
    "admin/journal": _page,
    "admin/ledger-account": None,
    "admin/ledger-days": _page,
    "admin/ledger-transaction": None,
    "admin/log-ins": _page,
    "admin/make-gift-cards": None,
    "admin/merchant-account": None,
    "admin/new-merchant-account": _page,
    "admin/new-role": _page,
    "admin/open-transfer-proof": None,
    "admin/payment": None,
    "admin/payment-evidence": _page,
    "admin/payments": None,  # The account is asked for where one was paid; "admin payments at the desk" counts them.
    "admin/reconciliation": _page,
    "admin/reconciliation-case": None,
    "admin/reconciliation-cases": _page,
    "admin/refund-payment": None,
    "admin/reject-transfer": None,
    "admin/release-case": None,
    "admin/report-days": None,
    "admin/report-facts": None,
    "admin/reports": _page,
    "admin/resolve-case": None,
    "admin/reveal-gift-cards": None,
    "admin/reverse-transaction": None,
    "admin/role": None,
    "admin/roles": _page,
    "admin/save-merchant-account": None,
    "admin/save-role": None,
    "admin/set-merchant-account-enabled": None,
    "admin/set-staff-enabled": None,
    "admin/set-staff-roles": None,
    "admin/set-top-up-bonus-enabled": None,
    "admin/settings": _page,
    "admin/staff-member": None,
    "admin/start-bill-import": None,
    "admin/start-ledger-export": None,
    "admin/start-reconciliation": None,
    "admin/start-reconciliation-export": None,
    "admin/start-report-export": None,
    "admin/top-ups": _page,
    "admin/transfers": _page,
    "admin/void-gift-cards": None,
    "admin/void-hold": None,
    "admin/set-member-level": _of_member(level="retail"),
    "admin/set-product-form": _of_product(fields=[]),
    # The shelf: what can be done again is counted. Files come beside their documents, jobs start once, and a batch is recalled
    # once: see tests/catalog, tests/themes/test_office_catalogue.py and test_office_imports.py.
    "admin/acknowledge-alert": None,
    "admin/add-product-media": None,
    "admin/adjust-stock": None,
    "admin/batch": lambda filling, rows: {"id": _batch(filling), "first": rows},
    "admin/batches": _page,
    "admin/cancel-job": None,
    "admin/categories": _page,
    "admin/confirm-job": None,
    "admin/create-category": _input(lambda _filling: {"slug": unique("shelf"), "titles": _TITLES}),
    "admin/create-product": _input(
        lambda _filling: {"slug": unique("product"), "category": "shelf0/deep", "titles": _TITLES}
    ),
    "admin/create-variant": _input(
        lambda filling: {
            "product": global_id("Product", filling.products_made[0]),
            "sku": unique("SKU"),
            "titles": _TITLES,
            "stockKind": "CARD",
        }
    ),
    "admin/imports": _page,
    "admin/job": _job,
    "admin/jobs": _page,
    "admin/move-category": None,
    "admin/new-product": _page,
    "admin/palette": lambda _filling, _rows: {"text": "row", "products": True, "members": True},
    "admin/palette-order": _order,
    "admin/prices": _page,
    "admin/quarantine-batch": None,
    "admin/readmit-batch": None,
    "admin/recall-batch": None,
    "admin/remove-price": None,
    "admin/remove-product-media": None,
    "admin/reveal-cards": _input(
        lambda filling: {
            "cards": filling.cards,
            "reason": "for a test",
        }
    ),
    "admin/roll-back-job": None,
    "admin/set-product-attributes": _of_product(attributes=[]),
    "admin/start-card-import": None,
    "admin/start-price-change": None,
    "admin/start-price-export": None,
    "admin/start-price-import": None,
    "admin/start-product-export": None,
    "admin/start-product-import": None,
    "admin/start-status-change": None,
    "admin/update-batch": _input(lambda filling: {"batch": _batch(filling), "source": "counted"}),
    "admin/update-category": _input(lambda _filling: {"path": "shelf0/deep", "titles": _TITLES}),
    "admin/update-product": _of_product(titles=_TITLES, tags=["counted"]),
    "admin/update-product-media": None,
    "admin/update-variant": _of_variant("id", titles=_TITLES),
    "admin/update-variant-stock": _of_variant("variant", lowStock=5),
    "admin/variant": lambda _filling, _rows: {"sku": _SKU},
    "admin/set-price": _input(
        lambda filling: {"variant": global_id("Variant", filling.variants[0]), "unit": _MONEY}
    ),
    "admin/staff": _page,
    "admin/stock": _page,
    "admin/unblock-member": _of_member(),
}
"""Values for the documents of both themes."""

SEVERAL_LISTS = {"admin/stock": 2, "storefront/home": 3}
"""Documents with so many lists of the same things: in a larger shop these differ, and what they need is loaded once a list."""


def of_themes(filling: Filling) -> dict[str, Asked]:
    """The documents of both themes that can be counted, by theme and file."""
    found = {}
    for name, document in theme_documents(filling).items():
        variables = OF_THEMES[name]
        if variables is not None:
            schema: Literal["shop", "admin"] = "admin" if name.startswith("admin/") else "shop"
            known = frozenset(variable.name for variable in document.variables)
            found[name] = Asked(schema, document.source, _only(known, variables))
    return found


def _only(known: frozenset[str], variables: Variables) -> Variables:
    return lambda filling, rows: {
        name: value for name, value in variables(filling, rows).items() if name in known
    }


def theme_documents(filling: Filling) -> dict[str, ThemeDocument]:
    """All documents of both themes, by theme and file."""
    themes = load_themes(filling.kernel)
    return {
        f"{kind}/{document.file.rpartition('/')[2].removesuffix('.graphql')}": document
        for kind in themes.kinds
        for document in themes.active(kind).all_documents()
    }


def _shop(source: str, **options: Any) -> Asked:
    return Asked("shop", f"query($first: Int!) {{ {source} }}", _page, **options)


def _admin(source: str) -> Asked:
    return Asked("admin", f"query($first: Int!) {{ {source} }}", _page)


_MONEY_FIELDS = "{ amount currency }"
_VARIANT = (
    "id sku title price { amount } quantityPrices { fromQuantity unit { amount } } stockState available "
    "faceValue { amount } product { slug category { path } }"
)
_PRODUCT = (
    f"id slug title description tags stockState priceFrom {_MONEY_FIELDS} metadata {{ key }} seo {{ title description }} "
    "attributes { values attribute { title } } media { url thumbnails { url } } "
    f"category {{ path parent {{ path children {{ path }} }} }} variants {{ {_VARIANT} }}"
)
_LINE = (
    f"sku title quantity total {_MONEY_FIELDS} variant {{ {_VARIANT} }} cards {{ number secret expiresOn }}"
)
_EVER = 'since: "2020-01-01T00:00:00Z", until: "2090-01-01T00:00:00Z"'
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

LISTS: dict[str, Asked] = {
    "admin sites": _admin(
        "sites(last: $first) { nodes { hosts address version draftByName shown { theme logo { url } } "
        f"draft {{ theme settings {{ name value }} tokens {{ name light }} }} }} {_PAGE_INFO} }} siteThemes {{ name }}"
    ),
    "admin versions of a site": Asked(
        "admin",
        "query($id: ID!, $first: Int!) { siteVersions(siteId: $id, first: $first) "
        f"{{ nodes {{ number publishedByName isShown look {{ theme }} }} {_PAGE_INFO} }} }}",
        _site,
    ),
    "admin notes of members": _admin(
        f"members(first: $first) {{ nodes {{ openSessions notes(first: $first) {{ nodes {{ text author }} }} }} {_PAGE_INFO} }}"
    ),
    "admin log-ins": _admin(
        f"staffLogIns(first: $first) {{ nodes {{ device open staffMember {{ email roles {{ name }} }} }} {_PAGE_INFO} }}"
    ),
    "admin payments at the desk": _admin(
        "payments(first: $first) { nodes { refundable { amount } confirmations { reference } "
        "attempts { note account { name values { name value } } } } }"
    ),
    "admin outcomes of cases": _admin(
        "reconciliationCases(first: $first) { nodes { mine outcomes { action postings { debit credit } } } }"
    ),
    "admin totals of reconciliations": _admin(
        "reconciliations(first: $first) { nodes { totals { payments { amount } } cases { state count } } }"
    ),
    "shop own tickets": _shop(
        f"viewer {{ tickets(first: $first) {{ nodes {{ state order {{ number }} }} {_PAGE_INFO} }} }}"
    ),
    "shop announcements": _shop(
        f"announcements(first: $first) {{ nodes {{ slug title body }} {_PAGE_INFO} }}"
    ),
    "shop help pages": _shop(f"helpPages(first: $first) {{ nodes {{ slug title body }} {_PAGE_INFO} }}"),
    "admin articles": _admin(f"articles(first: $first) {{ nodes {{ titleZh state }} {_PAGE_INFO} }}"),
    "admin erasure requests": _admin(
        f"erasureRequests(first: $first) {{ nodes {{ state member {{ email }} }} {_PAGE_INFO} }}"
    ),
    "shop products": _shop(f"products(first: $first) {{ nodes {{ {_PRODUCT} }} {_PAGE_INFO} }}"),
    "shop products of a visitor": _shop(
        f"products(first: $first) {{ nodes {{ {_PRODUCT} }} }}", visitor=True
    ),
    "shop products by edges": _shop(
        "products(first: $first, sort: POPULAR) { edges { cursor node { slug variants { price { amount } } } } }"
    ),
    "shop products found": _shop(
        'products(first: $first, search: "product") { nodes { slug priceFrom { amount } } }'
    ),
    "shop categories": _shop(
        "categories { path parent { path } children { path parent { path } children { path } } } "
        "products(first: $first) { nodes { category { children { path } } } }"
    ),
    "shop orders": _shop(
        f"viewer {{ level {{ title }} orders(first: $first) {{ nodes {{ number lines {{ {_LINE} }} }} {_PAGE_INFO} }} }}"
    ),
    "shop statement": _shop(
        "viewer { wallet { balance { amount } statement(first: $first) { edges { cursor node { memo } } } "
        f"period({_EVER}) {{ closing {{ amount }} entries(first: $first) {{ nodes {{ memo }} }} }} }} }}"
    ),
    "shop nodes that are products": Asked(
        "shop",
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Product {{ {_PRODUCT} }} }} }}",
        lambda filling, rows: {"ids": [global_id("Product", key) for key in filling.products_made[:rows]]},
    ),
    "shop nodes that are variants": Asked(
        "shop",
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Variant {{ {_VARIANT} }} }} }}",
        lambda filling, rows: {"ids": [global_id("Variant", key) for key in filling.variants[:rows]]},
    ),
    "admin products": _admin(
        "products(first: $first) { nodes { id slug titles { text } category { path children { path } } "
        "variants { sku available cost { amount } prices { tier unit { amount } } product { slug } } "
        "publishAt attributes { values } media { id url } seo { title } publicMetadata { key } privateMetadata { key } } }"
    ),
    "admin untranslated products": _admin(
        'untranslatedProducts(locale: "en", first: $first) { nodes { slug } } translationProgress { locale productsLacking }'
    ),
    "admin variants": _admin(
        "variants(first: $first) { edges { cursor node { sku available prices { tier } product { slug variants { sku } } "
        "priceHistory(first: 2) { nodes { what new { amount } } } quote(quantity: 2) { unit { amount } trace { text } } } } }"
    ),
    "admin batches": _admin(
        "stockBatches(first: $first) { nodes { source cards(first: 2) { nodes { number state variant { sku product { slug } } } "
        f"{_PAGE_INFO} }} }} }}"
    ),
    "admin batches, where they stand": _admin(
        "stockBatches(first: $first) { nodes { state settled cost { amount } figures { free sold gone } "
        f"soldCards(first: 2) {{ nodes {{ line badReason variant {{ sku }} }} {_PAGE_INFO} }} }} }}"
    ),
    "admin stock of variants": _admin(
        "variants(first: $first) { nodes { sku stock { delivery deliveryNotes { text } threshold counted reserved } "
        f"stockMovements(first: 2) {{ nodes {{ kind quantity reason }} {_PAGE_INFO} }} }} }}"
    ),
    "admin stock alerts": _admin(
        "stockAlerts(first: $first) { nodes { threshold available variant { sku product { slug } stock { counted } } } }"
    ),
    "admin members": _admin(
        "members(first: $first) { nodes { email level { title } wallet { balance { amount } "
        f"statement(first: 2) {{ edges {{ cursor node {{ memo }} }} {_PAGE_INFO} }} }} }} }} levels {{ code }}"
    ),
    "admin staff": _admin(
        "staff(first: $first) { nodes { email permissions roles { name title } } } roles { name } permissions { name }"
    ),
    "admin ledger": _admin(
        "ledgerTransactions(first: $first) { nodes { kind reverses { memo } reversedBy { memo } postings { amount { amount } "
        "debit { title statement(first: 2) { nodes { amount { amount } transaction { memo } } } } } } }"
    ),
    "admin ledger, the other side": _admin(
        "ledgerTransactions(first: $first) { nodes { postings { credit { statement(last: 2) { edges { cursor node { side "
        "transaction { memo } } } } } } } }"
    ),
    "admin accounts": _admin(
        "ledgerAccounts(first: $first) { nodes { kind title balance { amount } held { amount } floor { amount } "
        f"period({_EVER}) {{ opening {{ amount }} closing {{ amount }} lines(first: 2) {{ nodes {{ amount {{ amount }} "
        f"transaction {{ memo }} }} {_PAGE_INFO} }} }} }} }}"
    ),
    "admin statements of wallets": _admin(
        f"members(first: $first) {{ nodes {{ wallet {{ period({_EVER}) {{ opening {{ amount }} moneyIn {{ amount }} "
        f"closing {{ amount }} entries(first: 2) {{ nodes {{ memo }} {_PAGE_INFO} }} }} }} }} }}"
    ),
    "admin holds": _admin(
        "holds(first: $first, pending: false) { nodes { state amount { amount } debit { kind balance { amount } } "
        "credit { title } transaction { memo } } }"
    ),
    "admin days of the ledger": _admin(
        "ledgerDays(first: $first) { nodes { day anchor } } ledgerChecks(first: $first) { nodes { id found findings } }"
    ),
    "admin reports": _admin(
        "report(first: $first, dimension: PRODUCT) { nodes { since label orders turnover { amount } grossProfit { amount } } } "
        'reportFacts(first: $first, since: "2026-01-01", until: "2028-01-01") { nodes { kind amount { amount } } } '
        "closedReportDays(first: $first) { nodes { day } }"
    ),
    **{name: _admin(source) for name, source in (PAYMENT_DOCUMENTS | RECONCILED_DOCUMENTS).items()},
    "admin webhook endpoints": _admin(
        "webhookEndpoints(first: $first) { nodes { id name events state variables { name } } } webhookEventTypes { name }"
    ),
    "admin webhook deliveries": _admin(
        "webhookDeliveries(first: $first) { nodes { id messageId state endpoint { id name } log { status error } } }"
    ),
    "admin audit": _admin(
        "auditEntries(first: $first) { nodes { id action actor subject details position } } auditChain { position pending }"
    ),
    "admin orders with all of each": _admin(
        "orders(first: $first) { nodes { number guest buyer { email } audit { action } notifications { kind }"
        " payments { number } supplierOrders { reference } lines { delivery remainingQuantity handedOver { key retired } } } }"
        ' savedViews(list: "orders") { name }'
    ),
    "admin notifications": _admin(
        "notifications(first: $first) { nodes { id kind recipient state } } notificationPreferences { kind title enabled }"
    ),
    "admin jobs": _admin(
        "jobs(first: $first) { nodes { id title state report { counts { name count } changes { subject fields { old new } } }"
        " files { role name url } } }"
    ),
    "admin services": _admin(
        "services(first: $first) { nodes { dueBy claimedBy order { number } line { sku answers { value } } } }"
    ),
    "admin suppliers": _admin(
        "supplierAccounts(first: $first) { nodes { name settings callbackUrl } }"
        " supplierOffers(first: $first) { nodes { supplierSku account { name } variant { sku } } }"
    ),
    "admin supplier orders": _admin(
        "supplierOrders(first: $first) { nodes { state account { name } order { number } exchanges { kind } } }"
    ),
    "admin orders needing attention": _admin(
        "ordersNeedingAttention(first: $first) { nodes { number attention held received { amount } refunded { amount } "
        "history { note } tickets { state } lines { sku } } }"
    ),
    "admin tickets": _admin(
        "tickets(first: $first) { nodes { state evidence cardKey order { number lines { sku } tickets { state } } } }"
    ),
    "admin flash sales": _admin("flashSales(first: $first) { nodes { id sold state } }"),
    "admin orders": _admin(
        "orders(first: $first) { nodes { number memberId history { note } tickets { state } refunded { amount } "
        "received { amount } attention lines { sku total { amount } costs { pieces amount { amount } } } } } "
        "sales(top: 20) { total { orders } byVariant { sku figures { units } } } "
        "salesByHour { weekday figures { orders } } salesSoFar { today { orders } yesterday { units } }"
    ),
}
"""Lists with all that can be asked of their rows."""
