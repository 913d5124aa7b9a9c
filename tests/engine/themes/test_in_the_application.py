"""Themes in the web application of a running kernel, with its database, its sessions and its headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest

from kameng.auth import PrincipalDirectory
from kameng.auth.principal import PrincipalKind
from kameng.http.app import create_app
from kameng.kernel import Kernel
from kameng.module import Provide
from tests.engine.themes import shop
from tests.engine.themes.conftest import ORIGIN, action_of, hidden_fields

if TYPE_CHECKING:
    from kameng.testing.kernels import Kernels


class Everybody:
    """A directory in which everybody is listed and may do nothing in particular."""

    async def permissions(self, kind: PrincipalKind, principal_id: UUID) -> frozenset[str] | None:
        """None at all."""
        return frozenset()


MODULE = replace(shop.SHOP, provides=(Provide(PrincipalDirectory, lambda _kernel: Everybody()),))


@pytest.fixture
async def running(make_kernel: Kernels) -> Kernel:
    """A running kernel with the test shop and its theme."""
    return await make_kernel(
        [MODULE], themes={"folders": [str(shop.FIXTURES)], "storefront": "shop", "admin": "backoffice"}
    )


@pytest.fixture
async def client(running: Kernel) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of the whole application."""
    transport = httpx.ASGITransport(app=create_app(running))
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"accept-language": "en"}
    ) as client:
        yield client


async def test_a_page_comes_with_its_own_policy_and_a_correlation_id(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")

    assert answer.status_code == 200
    assert answer.headers.get_list("content-security-policy")[0].startswith(
        "default-src 'none'; script-src 'nonce-"
    )
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert answer.headers.get_list("referrer-policy") == ["same-origin"]
    assert answer.headers["x-correlation-id"]


async def test_a_fault_names_the_correlation_id_of_the_answer(client: httpx.AsyncClient) -> None:
    answer = await client.get("/products/crash")

    assert answer.status_code == 500
    assert f"Reference: {answer.headers['x-correlation-id']}" in answer.text


async def test_the_apis_stay_where_they_are(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"ok": True}
    asked = await client.post("/graphql/shop", json={"query": "{ engineVersion }"})
    assert asked.json()["data"]["engineVersion"]
    assert "<title>Dashboard</title>" in (await client.get("/admin")).text


async def test_a_members_session_opens_a_members_page_and_binds_its_forms(
    running: Kernel, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/orders/K1")).headers["location"] == "/login?next=%2Forders%2FK1"
    before = (await client.get("/products/steam")).text
    opened = await running.auth.sessions.open(PrincipalKind.MEMBER, shop.MEMBER)
    # The cookie is secure and this transport has no TLS, so it goes by header.
    session = f"{running.auth.cookie('shop').name}={opened.token}"
    seed = f"kameng_form={client.cookies['kameng_form']}"
    headers = {"cookie": f"{session}; {seed}", "origin": ORIGIN}

    assert "<title>Order K1</title>" in (await client.get("/orders/K1", headers=headers)).text
    after = (await client.get("/products/steam", headers=headers)).text

    async def send(text: str) -> int:
        fields = {**hidden_fields(text), "input.lines[0].quantity": "1"}
        return (await client.post(action_of(text), data=fields, headers=headers)).status_code

    assert await send(before) == 403
    assert await send(after) == 303


async def test_a_form_from_another_site_is_told_with_a_page(
    running: Kernel, client: httpx.AsyncClient
) -> None:
    opened = await running.auth.sessions.open(PrincipalKind.MEMBER, shop.MEMBER)
    headers = {"cookie": f"{running.auth.cookie('shop').name}={opened.token}", "origin": "https://evil.test"}

    answer = await client.post("/products/steam?_form=place_order", headers=headers)

    assert answer.status_code == 403
    assert "This form did not come from this site" in answer.text
