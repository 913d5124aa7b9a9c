"""The back office's pages of sites: a reseller with a logo and a colour gets a shop, and it can be undone."""

from __future__ import annotations

import io
import re

import httpx
from PIL import Image

from tests.themes.conftest import ORIGIN, Browser, Shop, text_of

PRIVATE = "https://shop.test"


def a_logo() -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.new("RGB", (320, 80), (200, 30, 40)).save(out, "PNG")
    return out.getvalue()


async def site_page(office: Browser) -> str:
    """The address of the operator's own site in the back office."""
    page = await office.get("/admin/sites")
    found = re.search(r'href="(/admin/sites/[^"?]+)"', page.text)
    assert found, text_of(page)
    return found[1]


async def send_file(office: Browser, page: str, form: str, name: str, data: bytes) -> httpx.Response:
    """Send a form with a file, as a browser does."""
    text = (await office.get(page)).text
    found = re.search(rf'<form[^>]+action="([^"]*_form={form}[^"]*)"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert found, text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[2]))
    action = found[1].replace("&amp;", "&")
    files = {"input.file": (name, data, "image/png")}
    return await office.http.post(action, data=fields, files=files, headers={"origin": ORIGIN})


async def test_a_reseller_with_only_a_logo_and_a_colour_gets_a_shop(shop: Shop) -> None:
    office = await shop.first_administrator()
    visitor = shop.open("en")
    page = await site_page(office)
    before = (await visitor.get("/")).text
    # given nothing but a colour and a logo
    answer = await office.send(
        page, "save_site_draft", input__brand="#e60012", **{"input.settings[0].value": "Red Box"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, page), text_of(answer)
    answer = await send_file(office, page, "set_site_logo", "logo.png", a_logo())
    assert answer.status_code == 303, text_of(answer)
    # then the page shows them as a draft, and visitors see what they saw
    shown = await office.get(page)
    assert "The logo is in the draft." in text_of(shown)
    assert "Draft not published" in text_of(shown)
    assert re.search(
        r'<img class="logo-shown" src="/media/[0-9a-f]{64}\.png" width="320" height="80"', shown.text
    )
    assert "Red Box" not in (await visitor.get("/")).text
    # when a link to the draft is made
    answer = await office.send(page, "create_site_preview")
    link = re.search(rf'href="{PRIVATE}(/\?_preview=[^"]+)"', answer.text)
    assert link, text_of(answer)
    previewer = shop.open("en")
    assert (await previewer.get(link[1])).status_code == 303
    drafted = await previewer.get("/products")
    assert "--color-brand:light-dark(#e30012, #ff9689)" in drafted.text
    assert '<img class="brand-logo" src="/media/' in drafted.text
    assert 'class="kameng-preview"' in drafted.text
    # when it is published
    answer = await office.send(page, "publish_site", input__note="The reseller's colours")
    assert answer.status_code == 303, text_of(answer)
    after = (await visitor.get("/")).text
    assert "Red Box" in after
    assert '<img class="brand-logo" src="/media/' in after
    assert "--color-brand:light-dark(#e30012, #ff9689)" in after
    assert "kameng-preview" not in after
    # and once more with another colour, and the first one brought back
    assert (await office.send(page, "save_site_draft", input__brand="#00a0e9")).status_code == 303
    assert (await office.send(page, "publish_site")).status_code == 303
    assert "#0077af" in (await visitor.get("/")).text
    history = await office.get(page)
    assert "The reseller's colours" in text_of(history)
    assert len(re.findall(r'<td[^>]*><span title="staff:[^"]+">Ada</span></td>', history.text)) == 2
    answer = await office.send(page, "restore_site_version")
    assert answer.status_code == 303, text_of(answer)
    assert "--color-brand:light-dark(#e30012, #ff9689)" in (await visitor.get("/")).text
    assert "brought back 1" in text_of(await office.get(page))
    assert "--color-brand:light-dark(#e30012" not in before


async def test_what_is_refused_is_told_at_its_field_with_what_would_do(shop: Shop) -> None:
    office = await shop.first_administrator()
    page = await site_page(office)
    form = (await office.get(page)).text
    number = re.search(r'name="input\.tokens\[(\d+)\]\.name" value="color-muted"', form)
    assert number
    field = f"input.tokens[{number[1]}].light"
    # a colour that makes a text hard to read
    answer = await office.send(page, "save_site_draft", **{field: "#bbbbbb"})
    assert answer.status_code == 422
    told = re.search(rf'name="{re.escape(field)}"[^>]*aria-invalid="true"', answer.text, re.DOTALL)
    assert told, text_of(answer)
    assert "#707070" in answer.text
    assert 'value="#bbbbbb"' in answer.text
    # a value that would end the style sheet
    answer = await office.send(page, "save_site_draft", **{field: "red;}</style><script>alert(1)</script>"})
    assert answer.status_code == 422
    assert "<script>alert(1)" not in answer.text
    # a picture that is none
    answer = await send_file(office, page, "set_site_logo", "../../logo.png", b"<svg onload=alert(1)>")
    assert answer.status_code == 422
    assert "alert(1)" not in answer.text

    # and a draft that somebody else has changed in between is not overwritten
    old = await office.get(page)
    fields = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', old.text.split("data-look>")[1])
    )
    assert (await office.send(page, "save_site_draft", input__brand="#e60012")).status_code == 303
    answer = await office.send(
        page, "save_site_draft", input__brand="#00a0e9", **{"input.revision": fields["input.revision"]}
    )
    assert answer.status_code == 422
    assert "Somebody else has changed this draft" in text_of(answer)

    # a site's domain is a domain
    answer = await office.send(
        "/admin/sites",
        "create_site",
        input__title="North shop",
        input__code="north",
        input__hosts="https://north",
    )
    assert answer.status_code == 422
    assert "is no domain" in text_of(answer)
    answer = await office.send(
        "/admin/sites",
        "create_site",
        input__title="North shop",
        input__code="north",
        input__hosts="north.example",
    )
    assert answer.status_code == 303, text_of(answer)
    made = await office.get(answer.headers["location"])
    assert "https://north.example" in made.text
    answer = await office.send(made.url.path, "change_site", input__title="North")
    assert answer.status_code == 303
    assert "North" in text_of(await office.get("/admin/sites"))
