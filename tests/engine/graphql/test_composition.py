"""Schemas are composed from modules, and nothing of one schema leaks into another."""

from typing import TYPE_CHECKING, Annotated, Any

import pytest
import strawberry

from kameng.errors import BootError, Refusal
from kameng.graphql import Context, Info, Node, compose_schema, foreign, mutation, payload
from kameng.graphql.compiled import Invalid
from kameng.graphql.execution import Executor
from kameng.ids import global_id, new_id
from kameng.module import Module, SchemaPart

if TYPE_CHECKING:
    Product = Any

KEY = new_id()


class SoldOut(Refusal):
    """There is none left."""

    code = "SOLD_OUT"


@strawberry.type(name="Product")
class CatalogProduct(Node):
    title: str


async def load_products(context, keys):
    return [make_product() if key == KEY else None for key in keys]


def make_product():
    return CatalogProduct(id=strawberry.ID(global_id("Product", KEY)), title="Card")


@strawberry.type
class CatalogQuery:
    @strawberry.field
    def product(self) -> CatalogProduct:
        return make_product()


@payload(SoldOut)
class BuyPayload:
    """What was bought."""

    product: CatalogProduct | None = None


@strawberry.type
class CatalogMutation:
    @mutation
    async def buy(self, info: Info, count: int) -> BuyPayload:
        """Buy some."""
        if count > 9:
            raise SoldOut("Nine are left.", cure="Take nine.", path=("count",))
        if count == 0:
            raise ZeroDivisionError("an internal detail")
        return BuyPayload(product=make_product())

    @mutation
    async def tell_key(self, info: Info) -> BuyPayload:
        """Answer with the idempotency key."""
        raise SoldOut(str(info.context.idempotency_key))


class Stars:
    @strawberry.field
    def stars(self) -> int:
        return len(self.title)


@strawberry.type
class ShelfQuery:
    @strawberry.field
    def favourite(self) -> Annotated["Product", foreign("catalog")]:
        return make_product()


CATALOG = Module(
    name="catalog",
    version="1",
    shop=SchemaPart(query=CatalogQuery, mutation=CatalogMutation, nodes={"Product": load_products}),
)
STARS = Module(
    name="stars", version="1", requires={"catalog": ">=1"}, shop=SchemaPart(extend={"Product": Stars})
)
SHELF = Module(name="shelf", version="1", requires={"catalog": ">=1"}, shop=SchemaPart(query=ShelfQuery))


async def ask(schema, source, variables=None, **values):
    context = Context(None, correlation_id="c0ffee", **values)
    answer = await Executor(schema).execute(source, variables, context)
    return answer.data, answer.errors


async def test_fields_join_another_modules_type_and_self_is_its_object():
    schema = compose_schema("shop", [CATALOG, STARS])
    assert await ask(schema, "{ product { title stars } }") == (
        {"product": {"title": "Card", "stars": 4}},
        None,
    )


async def test_two_schemas_of_different_modules_live_in_one_process():
    with_stars, plain = compose_schema("shop", [CATALOG, STARS]), compose_schema("shop", [CATALOG])
    with_shelf = compose_schema("shop", [CATALOG, SHELF])
    assert "stars" in with_stars.as_str()
    assert "stars" not in plain.as_str()
    assert "favourite" in with_shelf.as_str()
    assert "favourite" not in with_stars.as_str()
    data, errors = await ask(plain, "{ product { stars } }")
    assert data is not None or errors[0]["message"].startswith("Cannot query field 'stars'")
    again = compose_schema("shop", [CATALOG, STARS])
    assert again.as_str() == with_stars.as_str()
    assert (await ask(with_stars, "{ product { stars } }"))[0] == {"product": {"stars": 4}}


async def test_an_admin_schema_has_nothing_of_the_shop():
    assert "product" not in compose_schema("admin", [CATALOG, STARS]).as_str()


async def test_a_foreign_type_is_the_owners_with_all_its_fields():
    schema = compose_schema("shop", [CATALOG, STARS, SHELF])
    assert (await ask(schema, "{ favourite { title stars } }"))[0] == {
        "favourite": {"title": "Card", "stars": 4}
    }


def test_a_foreign_type_without_its_owner_is_a_clear_error():
    with pytest.raises(BootError, match="GraphQL type Product, expected from catalog"):
        compose_schema("shop", [SHELF])


async def test_node_finds_objects_by_global_id_and_only_known_ones():
    schema = compose_schema("shop", [CATALOG])
    ids = [global_id("Product", KEY), global_id("Product", new_id()), global_id("Stranger", KEY)]
    data, errors = await ask(
        schema, "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Product { title } } }", {"ids": ids}
    )
    assert errors is None
    assert data == {"nodes": [{"id": ids[0], "title": "Card"}, None, None]}


async def test_a_malformed_id_is_a_typed_error():
    _, errors = await ask(compose_schema("shop", [CATALOG]), '{ node(id: "nonsense") { id } }')
    assert errors[0]["extensions"] == {
        "code": "INVALID_INPUT",
        "cure": "Use an id as a query returned it.",
        "classification": "BAD_REQUEST",
    }


async def test_a_refusal_is_data_with_its_code_path_and_cure():
    source = "mutation { buy(count: 10) { product { title } errors { code message path cure } } }"
    data, errors = await ask(compose_schema("shop", [CATALOG]), source)
    assert errors is None
    expected = {"code": "SOLD_OUT", "message": "Nine are left.", "path": ["count"], "cure": "Take nine."}
    assert data == {"buy": {"product": None, "errors": [expected]}}


def test_a_payloads_codes_are_an_enum_of_its_own():
    values = compose_schema("shop", [CATALOG])._schema.type_map["BuyErrorCode"].values
    assert set(values) == {
        "SOLD_OUT", "CONFLICT", "FORBIDDEN", "INVALID_INPUT", "NOT_FOUND", "RATE_LIMITED", "UNAUTHENTICATED",
    }  # fmt: skip
    assert values["SOLD_OUT"].description == "There is none left."


async def test_a_fault_is_masked_and_names_its_correlation_id():
    data, errors = await ask(
        compose_schema("shop", [CATALOG]), "mutation { buy(count: 0) { errors { code } } }"
    )
    assert data is None
    assert "internal detail" not in str(errors)
    assert errors[0]["extensions"] == {
        "code": "INTERNAL",
        "correlationId": "c0ffee",
        "classification": "INTERNAL_SERVER_ERROR",
    }


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ('mutation { tellKey @idempotent(key: "k1") { errors { message } } }', None),
        ("mutation($k: String!) { tellKey @idempotent(key: $k) { errors { message } } }", {"k": "k1"}),
        ('mutation($k: String! = "k1") { tellKey @idempotent(key: $k) { errors { message } } }', None),
    ],
)
async def test_the_idempotency_key_comes_from_the_directive(source, variables):
    data, errors = await ask(compose_schema("shop", [CATALOG]), source, variables)
    assert errors is None
    assert data["tellKey"]["errors"][0]["message"] == "k1"


def test_a_payload_must_be_named_so():
    with pytest.raises(BootError, match="must be named"):

        @payload()
        class Answer:
            pass


def test_mutations_are_async():
    with pytest.raises(BootError, match="not async"):
        mutation(lambda self: None)


def test_a_document_that_is_wrong_says_where():
    prepared = Executor(compose_schema("shop", [CATALOG])).prepare("{ product { nope } }")
    assert isinstance(prepared, Invalid)
    assert prepared.errors[0].locations[0].column == 13
