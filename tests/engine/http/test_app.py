"""The web application over real HTTP messages: GraphQL, health, metrics, headers, masked faults."""

import json

import httpx
import pytest
import pytest_asyncio
from litestar import get

from kameng.http.app import create_app
from kameng.kernel import Kernel
from kameng.loader import load_modules
from kameng.module import Module
from kameng.settings import Settings, read_settings

GRAPHQL = "application/graphql-response+json"


@get("/breaks")
async def breaks() -> None:
    raise RuntimeError("an internal detail")


@pytest_asyncio.fixture(loop_scope="session")
async def client(make_kernel, services):
    """A client of an application with all modules; the kernel is started and stopped by the application."""
    made = await make_kernel([*_installed(), Module(name="breaking", version="1", routes=(breaks,))])
    app = create_app(made)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        client.kernel = made
        yield client


def _installed():
    return load_modules(read_settings(environ={}))


def ask(client, query, schema="shop", accept="application/json", **body):
    return client.post(f"/graphql/{schema}", json={"query": query, **body}, headers={"accept": accept})


async def test_a_query_is_answered(client):
    response = await ask(client, "{ engineVersion }")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["data"] == {"engineVersion": "0.1.0"}


async def test_both_schemas_are_served(client):
    for schema in ("shop", "admin"):
        assert (await ask(client, "{ __typename }", schema)).json()["data"] == {"__typename": "Query"}
    assert (
        "createFirstAdministrator"
        not in (await ask(client, "{ __schema { mutationType { fields { name } } } }")).text
    )


@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (GRAPHQL, 400)])
@pytest.mark.parametrize(
    "query", ["{", "{ nope }", "query($n: Int!) { products(first: $n) { nodes { id } } }"]
)
async def test_a_wrong_document_is_told_without_data(client, accept, status, query):
    response = await ask(client, query, accept=accept)
    assert response.status_code == status
    assert response.headers["content-type"].startswith(accept)
    assert "data" not in response.json()
    assert response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "REQUEST_UNREADABLE"),
        (b'{"query": 7}', "REQUEST_UNREADABLE"),
        (b'{"variables": {}}', "REQUEST_UNREADABLE"),
        (b'{"query": "{a}", "variables": []}', "REQUEST_UNREADABLE"),
        (b'{"query": "\xff"}', "REQUEST_UNREADABLE"),
    ],
)
async def test_an_unreadable_request_is_told(client, body, code):
    response = await client.post("/graphql/shop", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_other_methods_and_media_types_are_refused(client):
    assert (await client.put("/graphql/shop", json={"query": "{a}"})).status_code == 405
    plain = await client.post("/graphql/shop", content=b"query=x", headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    form = await client.post("/graphql/shop", data={"query": "{ engineVersion }"})
    assert form.status_code == 415
    assert (await ask(client, "{ engineVersion }", accept="text/html")).status_code == 406
    huge = await client.post(
        "/graphql/shop",
        content=b'{"query": "' + b" " * 1_000_001 + b'"}',
        headers={"content-type": "application/json"},
    )
    assert huge.status_code == 413


async def test_a_get_needs_the_header_and_never_mutates(client):
    query = {"query": "{ engineVersion }"}
    assert (await client.get("/graphql/shop", params=query)).status_code == 405
    header = {"kameng-preflight": "1"}
    assert (await client.get("/graphql/shop", params=query, headers=header)).json()["data"] == {
        "engineVersion": "0.1.0"
    }
    response = await client.get(
        "/graphql/shop", params={"query": "mutation { logOut { errors { code } } }"}, headers=header
    )
    assert response.status_code == 405


async def test_a_dead_token_is_told_and_not_taken_for_a_visitor(client):
    headers = {"authorization": "Bearer kms_nonsense"}
    response = await client.post("/graphql/shop", json={"query": "{ engineVersion }"}, headers=headers)
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_another_sites_page_cannot_use_the_cookie(client):
    made = await ask(
        client,
        'mutation { register(input: {email: "a@example.com", password: "a long enough phrase"}) { token errors { code } } }',
    )
    assert made.json()["data"]["register"] == {"token": None, "errors": []}
    cookie = made.headers["set-cookie"]
    assert cookie.startswith("__Host-kameng=")
    for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert attribute in cookie
    headers = {"cookie": cookie.split(";")[0]}
    query = {"query": "{ viewer { email } }"}
    own = await client.post("/graphql/shop", json=query, headers={**headers, "origin": "http://shop.test"})
    assert own.json()["data"] == {"viewer": {"email": "a@example.com"}}
    other = await client.post("/graphql/shop", json=query, headers={**headers, "origin": "http://evil.test"})
    assert other.status_code == 400
    assert other.json()["errors"][0]["extensions"]["code"] == "CROSS_SITE_REQUEST"
    admin = await client.post("/graphql/admin", json={"query": "{ viewer { email } }"}, headers=headers)
    assert admin.json()["data"] == {"viewer": None}


async def test_a_fault_is_masked_and_names_its_reference(client):
    response = await client.get("/breaks")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "internal detail" not in response.text
    assert response.json()["correlationId"] == response.headers["x-correlation-id"]


async def test_every_answer_has_the_headers_that_protect(client):
    for path in ("/livez", "/nowhere", "/breaks"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in ("same-origin", "strict-origin-when-cross-origin")
        assert "default-src 'none'" in headers["content-security-policy"]


async def test_health_tells_what_works(client):
    assert (await client.get("/livez")).json() == {"ok": True}
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert {name: check["ok"] for name, check in ready.json()["checks"].items()} == {
        "database": True,
        "broker": True,
        "migrations": True,
    }


async def test_not_ready_without_migrations(make_kernel):
    kernel = await make_kernel(migrated=False)
    transport = httpx.ASGITransport(app=create_app(kernel))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert "kameng migrate" in ready.json()["checks"]["migrations"]["detail"]
        assert (await client.get("/livez")).status_code == 200


async def test_metrics_count_by_route_and_not_by_path(client):
    await ask(client, "{ engineVersion }")
    await client.get("/order/NUMBER-THAT-IS-PRIVATE")
    text = (await client.get("/metrics")).text
    assert 'kameng_graphql_operations_total{kind="query",result="ok",schema="shop"}' in text
    assert "kameng_http_request_seconds_bucket" in text
    assert "NUMBER-THAT-IS-PRIVATE" not in text


async def test_no_document_of_ours_falls_back(client):
    async def fallbacks():
        text = (await client.get("/metrics")).text
        return [line for line in text.splitlines() if line.startswith("kameng_graphql_fallbacks_total{")]

    # Other tests of this process may have brought documents that do.
    before = await fallbacks()
    for schema in ("shop", "admin"):
        await ask(client, "{ engineVersion }", schema)
    assert await fallbacks() == before


async def test_two_applications_of_different_modules_live_in_one_process(make_kernel):
    whole = await make_kernel()
    catalog = [module for module in whole.modules if module.name == "catalog"]
    small = await make_kernel(catalog, themes={"storefront": "", "admin": ""})
    answers = {}
    for name, kernel in (("whole", whole), ("small", small)):
        transport = httpx.ASGITransport(app=create_app(kernel))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            shown = await ask(
                client, '{ __type(name: "Mutation") { fields { name } } products { nodes { id } } }'
            )
            answers[name] = shown.json()["data"]
    assert answers["small"]["__type"] is None
    assert {"name": "placeOrder"} in answers["whole"]["__type"]["fields"]
    assert answers["small"]["products"] == {"nodes": []}


def test_a_kernel_is_composed_without_a_network(tmp_path):
    kernel = Kernel(Settings({}, root=tmp_path))
    assert json.dumps(sorted(kernel.schemas)) == '["admin", "shop"]'
