"""Filling a shop of all modules with so many of everything, by way of its own schemas."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.events.delivering import Deliverer
from kameng.events.letters import LANES, Room
from kameng.events.relaying import NewEvents
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng.jobs.running import run_job
from kameng.kernel import Kernel
from kameng.money import Money, UnitPrice
from kameng.sites.look import Look, written
from kameng.sites.managing import create_site
from kameng.sites.statements import ADD_VERSION, SET_DRAFT, SHOW_VERSION
from kameng_catalog.admin.types import card_id
from kameng_catalog.alerts import check_all_stock
from kameng_fulfilment.suppliers.connections import ConnectionDraft, save_connection
from kameng_fulfilment.suppliers.offers import OfferDraft, save_offer
from kameng_settlement.contract import Held, Hold, HoldPosting, Holds
from tests.composed.paid import fill_payments
from tests.composed.reconciled import fill_reconciliations

OWNER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))
"""Somebody of the staff who may do everything; the first of the `Filling.staff`."""

_COLUMNS = (
    "sku,product,title_zh,title_en,variant_zh,variant_en,category,category_zh,category_en,kind,face_value,face_currency,"
    "price,cost,currency,description_zh,description_en,tags,status\n"
)


@dataclass
class Filling:
    """A shop under way.

    Attributes:
        kernel: the running kernel.
        products_made, variants: keys of products and of variants with cards, by SKU.
        buyer: a member who has money and orders; None until there is one.
        numbers: of the buyer's orders; the first has the most lines.
        cart_line: the id of a line of the buyer's cart.
        batch: the key of a batch of cards.
        cards: ids of so many of its cards.
        job: the key of a job that is done.
        site: the key of a site with versions.
    """

    kernel: Kernel
    products_made: list[UUID] = field(default_factory=list)
    variants: list[UUID] = field(default_factory=list)
    buyer: Principal | None = None
    numbers: list[str] = field(default_factory=list)
    cart_line: str = ""
    batch: UUID | None = None
    cards: list[str] = field(default_factory=list)
    job: UUID | None = None
    site: UUID | None = None

    async def ask(
        self,
        schema: Literal["shop", "admin"],
        source: str,
        variables: dict[str, Any] | None = None,
        principal: Principal | None = None,
    ) -> Any:
        """The data of an answer without errors."""
        context = Context(self.kernel, principal=principal or VISITOR, schema=schema, locale="en")
        answer = await self.kernel.graphql[schema].execute(source, variables, context)
        assert answer.errors is None, answer.errors
        return answer.data

    async def change(
        self,
        schema: Literal["shop", "admin"],
        name: str,
        value: dict[str, Any],
        fields: str,
        principal: Principal = OWNER,
    ) -> Any:
        """The payload of a mutation that was not refused."""
        kind = f"{name[0].upper()}{name[1:]}Input"
        source = (
            f"mutation($input: {kind}!, $key: String!) {{ {name}(input: $input) @idempotent(key: $key) "
            f"{{ {fields} errors {{ code message }} }} }}"
        )
        data = await self.ask(schema, source, {"input": value, "key": str(new_id())}, principal)
        assert data[name]["errors"] == [], data
        return data[name]

    async def products(self, count: int, prefix: str = "ROW") -> None:
        """So many products in so many categories, of which the first product has so many variants; a batch
        of cards for each product, 60 of each variant."""
        lines, skus = [], []
        for number in range(count):
            for variant in range(count if number == 0 else 1):
                sku = f"{prefix}-{number}-{variant}"
                skus.append(sku)
                lines.append(
                    f"{sku},{prefix.lower()}-{number},商品{number},Product {number},款{variant},Variant {variant},"
                    f"shelf{number}/deep,架/深,Shelf {number}/Deep,card,10.00,CNY,9.50,9,CNY,说明,Text,hot,published\n"
                )
        await self._import("importProducts", "".join([_COLUMNS, *lines]))
        for number in range(count):
            cards = "".join(
                f"{sku},,{sku}-SECRET-{piece:04},2099-12-31\n"
                for sku in skus
                if sku.startswith(f"{prefix}-{number}-")
                for piece in range(60)
            )
            await self._import("importCards", f"sku,number,secret,expires_on\n{cards}")
        rows = await self.kernel.db.fetch(
            "select id, product from catalog_variant where sku = any($1::text[]) order by sku", skus
        )
        self.variants += [row["id"] for row in rows]
        self.products_made += dict.fromkeys(row["product"] for row in rows)
        self.batch = await self.kernel.db.fetchval("select min(id::text)::uuid from catalog_stock_batch")
        self.cards = [
            card_id(row["id"])
            for row in await self.kernel.db.fetch(
                "select id from catalog_card where batch = $1 order by id limit $2", self.batch, count
            )
        ]

    async def alerts(self) -> None:
        """An alert of low stock for each variant."""
        await self.kernel.db.execute("update catalog_variant set low_stock = 1000")
        await check_all_stock(self.kernel)

    async def jobs(self, count: int) -> None:
        """So many exports of products, done."""
        for _ in range(count):
            job = await self.kernel.jobs.start("catalog.export_products", principal=OWNER)
            await run_job(self.kernel, str(job.id))
            self.job = job.id

    async def _import(self, name: str, content: str) -> None:
        payload = await self.change("admin", name, {"content": content}, "applied faults { line reason }")
        assert payload["applied"], payload

    async def members(self, count: int) -> list[Principal]:
        """So many members, each with money."""
        found = []
        for _ in range(count):
            key = new_id()
            await self.kernel.db.execute(
                """insert into membership_member (id, email, password_hash, level)
                   select $1, $2, 'none', id from membership_level where code = 'retail'""",
                key,
                f"{key}@example.com",
            )
            await self.credit(key, "5000.00")
            await self.holds(key)
            found.append(Principal(kind=PrincipalKind.MEMBER, id=key))
        return found

    async def credit(self, member: UUID, yuan: str) -> None:
        """Money into a wallet."""
        money = {"amount": yuan, "currency": "CNY"}
        value = {"memberId": global_id("Member", member), "amount": money, "reason": "for a test"}
        await self.change("admin", "creditWallet", value, "")

    async def holds(self, member: UUID) -> None:
        """Money of a wallet that was held and taken."""
        holds = self.kernel.services.get(Holds)
        async with self.kernel.db.transaction():
            wanted = Hold(key=str(new_id()), member=member, amount=Money(1, "CNY"))
            [placed] = await holds.place([wanted])
            assert isinstance(placed, Held)
            await holds.post([HoldPosting(key=str(new_id()), hold=placed.hold)])

    async def orders(self, buyer: Principal, count: int) -> None:
        """So many orders of one member, of which the first has so many lines."""
        self.buyer = buyer
        for number in range(count):
            lines = count if number == 0 else 1
            wanted = [
                {
                    "variantId": global_id("Variant", self.variants[line % len(self.variants)]),
                    "quantity": 1,
                }
                for line in range(lines)
            ]
            payload = await self.change(
                "shop", "placeOrder", {"lines": wanted}, "order { number }", principal=buyer
            )
            self.numbers.append(payload["order"]["number"])

    async def tickets(self, buyer: Principal) -> None:
        """A ticket for each line of a member's first order."""
        data = await self.ask(
            "shop",
            "query($number: String!) { order(number: $number) { lines { position cards { key } } } }",
            {"number": self.numbers[0]},
            buyer,
        )
        for line in data["order"]["lines"]:
            value = {
                "number": self.numbers[0],
                "position": line["position"],
                "cardKey": line["cards"][0]["key"],
                "evidence": "It says that it was used.",
            }
            await self.change("shop", "openTicket", value, "ticket { id }", principal=buyer)

    async def flash_sales(self, count: int) -> None:
        """So many flash sales, in the years to come."""
        await self.kernel.db.execute(
            """insert into fulfilment_flash_sale (id, variant, holds_from, opens_at, closes_at, quantity, per_buyer, sold,
                   created_by, created_at)
               select gen_random_uuid(), gen_random_uuid(), at, at, at + interval '1 day', 10, 1, 0, 'system', now()
               from generate_series(1, $1) n, lateral (select now() + make_interval(years => n)) t (at)""",
            count,
        )

    async def cart(self, buyer: Principal, count: int) -> None:
        """So many lines in a member's cart."""
        lines = [{"variantId": global_id("Variant", variant)} for variant in self.variants[:count]]
        payload = await self.change(
            "shop", "addToCart", {"lines": lines}, "cart { lines { id } }", principal=buyer
        )
        self.cart_line = payload["cart"]["lines"][0]["id"]

    async def staff(self, count: int) -> None:
        """So many people of the staff, each with a role of its own; the first one may do everything."""
        await self.kernel.db.execute(
            """
            with founder as (
                insert into membership_staff (id, email, password_hash, name, state, founder)
                values ($1, 'founder@example.com', 'none', 'Founder', 'active', true) returning id
            )
            insert into membership_staff_role (id, staff, role)
            select $2, founder.id, r.id from founder, membership_role r where r.name = 'owner'
            """,
            OWNER.id,
            new_id(),
        )
        for _ in range(count - 1):
            name = f"role_{new_id().hex[-12:]}"
            value = {
                "name": name,
                "titleZh": "角色",
                "titleEn": "Role",
                "permissions": ["catalog.read_products"],
            }
            role = (await self.change("admin", "saveRole", value, "role { id }"))["role"]["id"]
            value = {"email": f"{name}@example.com", "name": name, "roleIds": [role]}
            await self.change("admin", "createStaff", value, "staffMember { id }")

    async def told(self, count: int) -> None:
        """So many webhook endpoints, each with a delivery and its attempts, and so many notifications."""
        await self.kernel.db.execute(
            """
            with endpoints as (
                insert into webhooks_endpoint (id, name, url, topics)
                select gen_random_uuid(), 'E', 'https://hooks.example/', '[]' from generate_series(1, $1) returning id
            ), deliveries as (
                insert into webhooks_delivery (id, endpoint, topic, happened_at, state, next_at, gives_up_at)
                select gen_random_uuid(), id, 'webhooks.test', now(), 'dead', now(), now() from endpoints returning id
            ), attempts as (
                insert into webhooks_attempt (id, delivery, status)
                select gen_random_uuid(), id, 500 from deliveries, generate_series(1, 2)
            )
            insert into notify_message (id, kind, unique_key, channel, locale, state, next_at, gives_up_at)
            select gen_random_uuid(), 'notify.test', id::text, 'email', 'en', 'sent', now(), now() from endpoints
            """,
            count,
        )

    async def delivered_by_others(self, count: int) -> None:
        """So many lines on the service desk; so many accounts with suppliers, each with an offer, an order and two exchanges."""
        context = Context(self.kernel, principal=OWNER, schema="admin")
        settings = {"url": "https://cards.example/docking", "key": "us", "secret": "sixteen characters"}
        variant = self.variants[0]
        for number in range(count):
            draft = ConnectionDraft(name=f"Supplier {number}", protocol="kameng-docking", settings=settings)
            connection = await save_connection(context, draft)
            cost = UnitPrice.parse("3", "CNY")
            await save_offer(
                context, OfferDraft(variant=variant, connection=connection, their_sku="x", cost=cost)
            )
        await self.kernel.db.execute(
            """
            with numbers as (
                select n, gen_random_uuid() as id, gen_random_uuid() as served, gen_random_uuid() as supplied
                from generate_series(1, $1) as n
            ), orders as (
                insert into fulfilment_order
                    (id, number, member, idempotency_key, fingerprint, state, currency, total_minor, created_at, paid_at)
                select id, 'D' || n, gen_random_uuid(), 'd', '', 'PAID', 'CNY', 200, now(), now() from numbers
            ), lines as (
                insert into fulfilment_order_line
                    (id, order_id, position, variant, product, sku, titles, quantity, unit_price, total_minor,
                     delivery_state, delivery, due_at)
                select l.id, numbers.id, l.position, $2, $3, 'S', '{}', 1, 10000, 100, 'PENDING', l.delivery, now()
                from numbers, lateral (values (served, 1, 'manual'), (supplied, 2, 'supplier'))
                    as l (id, position, delivery)
            ), services as (
                insert into fulfilment_service (line, due_by) select served, now() from numbers
            ), ordered as (
                insert into fulfilment_supplier_order
                    (id, line, attempt, round, connection, offer, reference, their_sku, quantity, cost, currency, codes,
                     state, next_at, created_at)
                select gen_random_uuid(), numbers.supplied, 1, 1, o.connection, o.id, 'r' || n, 'x', 1, 30000, 'CNY', true,
                       'PREPARED', now() + interval '1 day', now()
                from numbers join (
                    select id, connection, row_number() over (order by id) as n from fulfilment_supplier_offer
                ) o using (n)
                returning id
            )
            insert into fulfilment_supplier_attempt (id, supplier_order, at, kind, outcome, actor)
            select gen_random_uuid(), id, now(), 'plan', 'PREPARED', 'system' from ordered, generate_series(1, 2)
            """,
            count,
            variant,
            self.products_made[0],
        )

    async def sites(self, count: int) -> None:
        """So many sites, each with a changed draft, of which the first has so many versions."""
        context = Context(self.kernel, principal=OWNER, schema="admin")
        look = written(Look())
        for number in range(count):
            site = await create_site(context, f"site-{number}", f"Site {number}", [f"site-{number}.test"])
            await self.kernel.db.execute(SET_DRAFT, site, look, OWNER.key)
            for _ in range(1 if self.site else count):
                version = await self.kernel.db.fetchval(
                    ADD_VERSION, new_id(), site, look, "for a test", None, OWNER.key
                )
            await self.kernel.db.execute(SHOW_VERSION, site, version)
            self.site = self.site or site

    async def facts(self) -> None:
        """Let every module hear of what has happened, as the relay and the workers would."""
        new = NewEvents(self.kernel.events.subscriptions, timedelta(seconds=30))
        async with self.kernel.db.connection() as connection:
            letters, _ = await new.run(connection, Room(dict.fromkeys(LANES, 1)))
        deliverer = Deliverer(self.kernel, first_pause=1.0)
        for letter in letters:
            await deliverer.deliver(*letter.content)

    async def fill(self, count: int) -> None:
        """So many of everything."""
        await self.products(count)
        members = await self.members(count)
        for _ in range(count - 1):
            assert members[0].id is not None
            await self.credit(members[0].id, "1.00")
        await self.orders(members[0], count)
        await self.tickets(members[0])
        await self.flash_sales(count)
        await self.cart(members[0], count)
        for member in members[1:]:
            numbers, buyer = self.numbers, self.buyer
            self.numbers = []
            await self.orders(member, 1)
            self.numbers, self.buyer = numbers, buyer
        await self.alerts()
        await self.staff(count)
        await self.told(count)
        await self.sites(count)
        await self.facts()
        await self.jobs(count)
        await self.delivered_by_others(count)
        await fill_payments(self.kernel, OWNER, [each.id for each in members if each.id], count)
        await fill_reconciliations(self.kernel, OWNER, count)
