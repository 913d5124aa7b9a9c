"""A shop with both default themes on the real application, and browsers without scripts in front of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest_asyncio

from kameng.auth import Principal, PrincipalKind
from kameng.auth.first_administrator import FirstAdministrator
from kameng.graphql import Context
from kameng.http.app import create_app
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

ORIGIN = "https://shop.test"
PASSWORD = "seven green kettles at noon"
OWNER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))

PRODUCTS = (
    "sku,product,title_zh,title_en,variant_zh,variant_en,category,category_zh,category_en,kind,face_value,face_currency,"
    "price,cost,currency,description_zh,description_en,tags,status\n"
    "PLUM-10,plum,李子卡,Plum card,十元,Ten,game/pc,游戏/电脑,Games/PC,card,10.00,CNY,9.50,9,CNY,说明,Text,,published\n"
    "PLUM-50,plum,李子卡,Plum card,五十元,Fifty,game/pc,游戏/电脑,Games/PC,card,50.00,CNY,47.50,45,CNY,说明,Text,,published\n"
)
SECRETS = ("AAAA-1111-PLUM", "BBBB-2222-PLUM", "CCCC-3333-PLUM")
CARDS = "sku,number,secret,expires_on\n" + "".join(f"PLUM-10,,{secret},2031-12-31\n" for secret in SECRETS)


@dataclass
class Form:
    """A form of a page: where it goes, and what it sends as it stands."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Reads a page's forms as a browser would: ticked boxes, selected options, no disabled ones."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append(Form(found.get("action") or ""))
        elif tag == "input" and self.forms and found.get("name"):
            ticked = found.get("type") not in ("radio", "checkbox") or "checked" in found
            if ticked and "disabled" not in found:
                self.forms[-1].fields[str(found["name"])] = found.get("value") or ""


class Browser:
    """A browser without scripts.

    Args:
        app: the application.
        locale: the language it asks for.
    """

    def __init__(self, kernel: Kernel, locale: str) -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=create_app(kernel)),
            base_url=ORIGIN,
            headers={"accept-language": locale},
        )

    async def get(self, path: str) -> httpx.Response:
        """Open a page, without following where it leads."""
        return await self.http.get(path)

    async def send(self, page: str, form: str, send_to: str = "", **fields: str) -> httpx.Response:
        """Open a page, fill in the form of this name and send it. In names of fields ``__`` is a dot.

        Args:
            page: its address.
            form: the form's name.
            send_to: another form that a button of this one sends it to.
            fields: what is filled in.
        """
        text = (await self.get(page)).text
        reader = _Forms()
        reader.feed(text)
        wanted = [item for item in reader.forms if f"_form={form}" in item.action]
        assert wanted, f"{page} has no form {form}:\n{text}"
        filled = {**wanted[0].fields, **{name.replace("__", "."): value for name, value in fields.items()}}
        action = wanted[0].action.replace(f"_form={form}", f"_form={send_to or form}")
        return await self.http.post(action, data=filled, headers={"origin": ORIGIN})


def text_of(answer: httpx.Response) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


OpenBrowser = Callable[..., Browser]


@dataclass(frozen=True)
class Shop:
    """A stocked shop: three cards of ``plum`` for 9.50, none for 47.50."""

    kernel: Kernel
    open: OpenBrowser

    async def first_administrator(self, locale: str = "en") -> Browser:
        """A browser in which the first administrator has just been made by the one-time link."""
        office = self.open(locale)
        link = await self.kernel.services.get(FirstAdministrator).link()
        assert link
        answer = await office.send(
            link.removeprefix(ORIGIN),
            "set_up",
            input__name="Ada",
            input__email="ada@example.com",
            input__password=PASSWORD,
        )
        assert (answer.status_code, answer.headers.get("location")) == (303, "/admin"), text_of(answer)
        return office

    async def member(self, email: str, locale: str = "en") -> Browser:
        """A browser in which somebody has just registered."""
        browser = self.open(locale)
        answer = await browser.send(
            "/register", "register", input__email=email, input__displayName="", input__password=PASSWORD
        )
        assert answer.status_code == 303, text_of(answer)
        return browser

    async def credit(self, office: Browser, email: str, yuan: str) -> httpx.Response:
        """Let the back office credit a member's wallet, found by searching for the address."""
        found = await office.get(f"/admin/members?search={email}")
        path = re.search(r'href="(/admin/members/[^"?]+)"', found.text)
        assert path, text_of(found)
        return await office.send(
            path[1], "credit_wallet", input__amount__amount=yuan, input__reason="bank transfer 7"
        )


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> AsyncIterator[Shop]:
    """A stocked shop."""
    kernel = await make_kernel(kameng={"public_url": ORIGIN})
    opened: list[Browser] = []

    def open_browser(locale: str = "en") -> Browser:
        browser = Browser(kernel, locale)
        opened.append(browser)
        return browser

    for name, kind, content in (
        ("importProducts", "ImportProductsInput", PRODUCTS),
        ("importCards", "ImportCardsInput", CARDS),
    ):
        source = (
            f"mutation($input: {kind}!, $key: String!) {{ {name}(input: $input) @idempotent(key: $key) "
            "{ applied errors { code message } } }"
        )
        context = Context(kernel, principal=OWNER, schema="admin", locale="en")
        variables = {"input": {"content": content}, "key": str(new_id())}
        answer = await kernel.graphql["admin"].execute(source, variables, context)
        assert answer.errors is None, answer.errors
        assert answer.data[name]["applied"], answer.data
    yield Shop(kernel, open_browser)
    for browser in opened:
        await browser.http.aclose()
