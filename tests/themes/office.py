"""What tests of the back office share: asking the schema as who is logged in, and colleagues who may do less."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx

from tests.themes.conftest import ORIGIN, PASSWORD, Browser, Shop, text_of


async def ask(browser: Browser, document: str, **variables: Any) -> Any:
    """The data of an answer of the admin schema.

    Args:
        browser: asks with its cookies.
        document: a query or mutation.
    """
    answer = await browser.http.post(
        "/graphql/admin",
        json={"query": document, "variables": variables},
        headers={"origin": ORIGIN, "kameng-preflight": "1"},
    )
    told = answer.json()
    assert not told.get("errors"), told
    return told["data"]


async def colleague(shop: Shop, office: Browser, *permissions: str, locale: str = "en") -> Browser:
    """A browser of somebody of the staff who may do only this.

    Args:
        shop: the shop.
        office: an administrator's browser.
        permissions: what the colleague may do.
    """
    role = await ask(
        office,
        "mutation($input: SaveRoleInput!) { saveRole(input: $input) { role { id } errors { message } } }",
        input={"name": "clerk", "titleZh": "职员", "titleEn": "Clerk", "permissions": list(permissions)},
    )
    made = await ask(
        office,
        "mutation($input: CreateStaffInput!) "
        "{ createStaff(input: $input) { invitationLink errors { message } } }",
        input={"email": "cleo@example.com", "name": "Cleo", "roleIds": [role["saveRole"]["role"]["id"]]},
    )
    link = made["createStaff"]["invitationLink"]
    assert link, made
    browser = shop.open(locale)
    answer = await browser.send(link.removeprefix(ORIGIN), "accept_invitation", input__password=PASSWORD)
    assert answer.status_code == 303, text_of(answer)
    return browser


async def upload(
    browser: Browser,
    page: str,
    form: str,
    name: str,
    content: bytes,
    media_type: str = "text/csv",
    **fields: str,
) -> httpx.Response:
    """Fill in a form that takes a file and send it, as a browser does. In names of fields ``__`` is a dot.

    Args:
        page, form: where the form is and what it is called.
        name, content, media_type: of the file.
        fields: what is filled in beside it.
    """
    text = (await browser.get(page)).text
    found = re.search(rf'<form method="post" action="([^"]*_form={form})"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert found, text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[2]))
    filled = {**hidden, **{field.replace("__", "."): value for field, value in fields.items()}}
    return await browser.http.post(
        unescape(found[1]),
        data=filled,
        files={"input.file": (name, content, media_type)},
        headers={"origin": ORIGIN},
    )
