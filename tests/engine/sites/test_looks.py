"""Drafts and versions of a site's look: what is refused and why, what is kept, and who may do it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kameng.db import counted_statements
from kameng.kernel import Kernel
from kameng.sites import SiteDirectory
from kameng.testing.clients import Client, a_clerk

from .conftest import OWNER, Office


async def versions(office: Office, site: str) -> list[dict[str, Any]]:
    """The history of a site, the newest first."""
    data = await office.client(
        "query($site: ID!) { siteVersions(siteId: $site) { nodes"
        " { id number note restoredNumber publishedBy isShown look { theme brand } } } }",
        {"site": site},
    )
    return list(data["siteVersions"]["nodes"])


async def test_a_draft_is_published_and_an_older_look_brought_back(office: Office) -> None:
    # given the operator's own site, which shows the deployment's theme as it is
    site = await office.main()
    assert (site["state"], site["version"], site["address"]) == ("UNTOUCHED", None, "https://shop.test")
    # when a brand colour is drafted
    site = await office.done("saveSiteDraft", id=site["id"], revision=0, brand="#e60012")
    # then visitors see what they saw
    assert (site["state"], site["draftRevision"]) == ("CHANGED", 1)
    assert (site["shown"]["brand"], site["draft"]["brand"]) == (None, "#e60012")
    # when it is published, and then another theme
    site = await office.done("publishSite", id=site["id"], revision=1, note="Red for the festival")
    assert (site["state"], site["version"], site["shown"]["brand"]) == ("PUBLISHED", 1, "#e60012")
    await office.done("saveSiteDraft", id=site["id"], revision=1, theme="lantern")
    await office.done("publishSite", id=site["id"], revision=2)
    # and the first one brought back
    first = (await versions(office, site["id"]))[-1]
    site = await office.done("restoreSiteVersion", id=site["id"], revision=2, version=first["id"])
    # then visitors see it, the draft is the same, and the history has all three
    assert (site["state"], site["version"], site["shown"]) == (
        "PUBLISHED",
        3,
        {"theme": None, "brand": "#e60012"},
    )
    told = [
        (item["number"], item["look"]["theme"], item["restoredNumber"], item["isShown"])
        for item in await versions(office, site["id"])
    ]
    assert told == [(3, None, 1, True), (2, "lantern", None, False), (1, None, None, False)]
    assert first["note"] == "Red for the festival"
    assert first["publishedBy"] == OWNER.key
    # and the audit log has who did what
    rows = await office.kernel.db.fetch(
        "select action from kernel_audit where subject like 'site:%' order by at, id"
    )
    assert [row["action"] for row in rows] == [
        "sites.draft_saved",
        "sites.published",
        "sites.draft_saved",
        "sites.published",
        "sites.draft_restored",
        "sites.restored",
    ]


async def test_a_draft_can_be_thrown_away(office: Office) -> None:
    site = await office.main()
    await office.done("saveSiteDraft", id=site["id"], revision=0, brand="#00a0e9")
    site = await office.done("discardSiteDraft", id=site["id"], revision=1)
    assert (site["state"], site["draft"]["brand"], site["draftRevision"]) == ("UNTOUCHED", None, 2)


NO_COLOURS = [
    "red;}</style><script>alert(1)</script>",
    "#fff;}body{display:none",
    "url(https://evil.example/x)",
    "var(--color-text)",
    "expression(alert(1))",
    "{color-danger}",
    "#0b6b4f/**/",
    "rgb(0 0 0",
    "\\75rl(x)",
]


async def test_a_colour_is_a_colour_and_nothing_else(office: Office) -> None:
    site = await office.main()
    for text in NO_COLOURS:
        # as a token
        error = await office.refused(
            "saveSiteDraft",
            id=site["id"],
            revision=0,
            tokens=[{"name": "color-text", "light": "#111111"}, {"name": "color-brand", "dark": text}],
        )
        assert (error["code"], error["path"]) == ("TOKEN_REFUSED", ["input", "tokens", "1", "dark"])
        # and as the brand colour
        error = await office.refused("saveSiteDraft", id=site["id"], revision=0, brand=text)
        assert (error["code"], error["path"]) == ("TOKEN_REFUSED", ["input", "brand"])
        assert (await office.main())["draftRevision"] == 0


NO_TOKENS = [
    ("radius", "8px;}</style>"),
    ("radius", "calc(1px)"),
    ("shadow", "0 0 1px url(x)"),
    ("font-body", 'Inter"}</style>'),
    ("font-body", "a, b;c"),
    ("no-such-token", "1px"),
    ("color-brand ", "#000"),
]


async def test_no_token_takes_what_its_type_does_not_read(office: Office) -> None:
    site = await office.main()
    for name, text in NO_TOKENS:
        error = await office.refused(
            "saveSiteDraft", id=site["id"], revision=0, tokens=[{"name": name, "light": text, "dark": text}]
        )
        assert (error["code"], error["path"][:3]) == ("TOKEN_REFUSED", ["input", "tokens", "0"])


async def test_a_text_that_is_hard_to_read_is_refused_with_what_would_do(office: Office) -> None:
    site = await office.main()
    error = await office.refused(
        "saveSiteDraft", id=site["id"], revision=0, tokens=[{"name": "color-muted", "light": "#bbbbbb"}]
    )
    assert error == {
        "code": "CONTRAST_TOO_LOW",
        "path": ["input", "tokens", "0", "light"],
        "message": "--color-muted on --color-ground has a contrast of 1.79 in the light scheme; 4.5 is needed.",
        "cure": "#707070 would do for --color-muted.",
    }
    # and what would do, does
    await office.done(
        "saveSiteDraft", id=site["id"], revision=0, tokens=[{"name": "color-muted", "light": "#707070"}]
    )


NO_SETTINGS = [
    ("tagline", "x" * 41, "The text has more than 40 characters."),
    ("columns", "5", "The number is larger than 4."),
    ("columns", "three", "'three' is no whole number."),
    ("festive", "perhaps", "It is no boolean."),
    ("shape", "oval", "It is none of round, square."),
    ("no_such", "1", "The theme lantern has no setting 'no_such'."),
]


async def test_settings_are_what_the_themes_json_schema_allows(office: Office) -> None:
    site = await office.main()
    await office.done("saveSiteDraft", id=site["id"], revision=0, theme="lantern")
    for name, text, message in NO_SETTINGS:
        error = await office.refused(
            "saveSiteDraft",
            id=site["id"],
            revision=1,
            theme="lantern",
            settings=[{"name": "support", "value": "a@b.example"}, {"name": name, "value": text}],
        )
        assert (error["code"], error["message"]) == ("SETTING_REFUSED", message)
        assert error["path"] == ["input", "settings", "1", "value"]


async def test_the_form_tells_settings_and_tokens_with_what_they_are_now(office: Office) -> None:
    site = await office.main()
    await office.done("saveSiteDraft", id=site["id"], revision=0, theme="lantern")
    settings = [{"name": "columns", "value": "4"}, {"name": "festive", "value": "true"}]
    await office.done(
        "saveSiteDraft",
        id=site["id"],
        revision=1,
        theme="lantern",
        settings=settings,
        tokens=[{"name": "ring", "light": "3px"}],
    )
    data = await office.client(
        "query($id: ID!) { site(id: $id) { draft { settings { name title kind value default choices minimum }"
        " tokens { name kind about light dark shownLight shownDark } } } }",
        {"id": site["id"]},
    )
    draft = data["site"]["draft"]
    told = {item["name"]: (item["kind"], item["value"], item["default"]) for item in draft["settings"]}
    assert told["columns"] == ("INTEGER", "4", "3")
    assert told["festive"] == ("YES_NO", "true", "false")
    assert told["shape"] == ("CHOICE", None, "round")
    assert told["shop_name"] == ("TEXT", None, "Kameng")
    tokens = {item.pop("name"): item for item in draft["tokens"]}
    assert tokens["ring"] == {
        "kind": "length",
        "about": "Around what has the focus.",
        "light": "3px",
        "dark": "3px",
        "shownLight": "3px",
        "shownDark": "3px",
    }
    assert (tokens["color-brand"]["light"], tokens["color-brand"]["shownLight"]) == (None, "#8a2b06")


async def test_another_theme_keeps_what_fits_it(office: Office) -> None:
    # given a draft with a setting and a token that only one theme has
    site = await office.main()
    await office.done("saveSiteDraft", id=site["id"], revision=0, theme="lantern")
    wanted = {
        "settings": [{"name": "tagline", "value": "Hello"}, {"name": "support", "value": "QQ 1"}],
        "tokens": [{"name": "ring", "light": "3px"}, {"name": "radius", "light": "4px"}],
    }
    await office.done("saveSiteDraft", id=site["id"], revision=1, theme="lantern", **wanted)
    # when another theme is chosen by the same form
    await office.done("saveSiteDraft", id=site["id"], revision=2, **wanted)
    # then the rest is left
    found = await office.kernel.services.get(SiteDirectory).draft(
        await office.kernel.db.fetchval("select id from sites_site where code = ''")
    )
    assert found
    assert (found[0].settings, found[0].tokens) == ({"support": "QQ 1"}, {"radius": {"value": "4px"}})


NO_STOREFRONTS = ["nowhere", "counter", "../plain", "base"]


async def test_a_theme_that_is_no_storefront_is_refused(office: Office) -> None:
    site = await office.main()
    for name in NO_STOREFRONTS:
        error = await office.refused("saveSiteDraft", id=site["id"], revision=0, theme=name)
        assert (error["code"], error["path"]) == ("THEME_UNUSABLE", ["input", "theme"])


async def test_a_theme_with_errors_can_be_drafted_but_not_published(office: Office) -> None:
    site = await office.main()
    await office.done("saveSiteDraft", id=site["id"], revision=0, theme="broken")
    error = await office.refused("publishSite", id=site["id"], revision=1)
    assert error["code"] == "THEME_UNUSABLE"
    assert "has a contrast of 1.07 in the light scheme" in error["message"]
    assert error["cure"] == "Mend them; `kameng theme check broken` lists all."
    # and the list of themes says so before
    data = await office.client("{ siteThemes { name isDefault parent errors } }")
    told = {
        item["name"]: (item["isDefault"], item["parent"], bool(item["errors"]))
        for item in data["siteThemes"]
        if item["name"] != "storefront"  # installed as well, but made for more modules than these
    }
    assert told == {
        "broken": (False, "plain", True),
        "lantern": (False, "plain", False),
        "plain": (True, None, False),
    }


async def test_of_two_who_edit_at_once_the_second_is_told(office: Office) -> None:
    site = await office.main()
    # given two who have the same draft open
    await office.done("saveSiteDraft", id=site["id"], revision=0, brand="#00a0e9")
    for name in ("saveSiteDraft", "publishSite", "discardSiteDraft", "removeSiteLogo"):
        error = await office.refused(name, id=site["id"], revision=0)
        assert (error["code"], error["path"]) == ("DRAFT_CHANGED", [])
    assert (await office.main())["draft"]["brand"] == "#00a0e9"
    # and really at once, one of them wins
    answers = await asyncio.gather(
        *(
            office.change("saveSiteDraft", id=site["id"], revision=1, brand=brand)
            for brand in ("#e60012", "#123456")
        )
    )
    assert sorted([error["code"] for error in answer["errors"]] for answer in answers) == [
        [],
        ["DRAFT_CHANGED"],
    ]


TOO_LITTLE = [
    (("sites.read_sites",), "saveSiteDraft"),
    (("sites.read_sites",), "discardSiteDraft"),
    (("sites.read_sites", "sites.edit_looks"), "publishSite"),
]


async def test_each_step_needs_its_permission(office: Office) -> None:
    site = await office.main()
    for held, name in TOO_LITTLE:
        clerk = Office(office.kernel, a_clerk(*held))
        error = await clerk.refused(name, id=site["id"], revision=0)
        assert error["code"] == "FORBIDDEN"
        assert await Client(office.kernel, "admin", a_clerk()).codes("{ sites { nodes { id } } }") == [
            "FORBIDDEN"
        ]


async def test_the_history_cannot_be_rewritten(office: Office) -> None:
    site = await office.main()
    await office.done("publishSite", id=site["id"], revision=0)
    for statement in (
        "update sites_version set note = ''",
        "delete from sites_version",
        "truncate sites_version",
    ):
        with pytest.raises(Exception, match="append-only"):
            await office.kernel.db.execute(statement)


async def test_sites_have_domains_of_their_own(office: Office) -> None:
    made = await office.done(
        "createSite", code="north", title="North shop", hosts=["North.Example", "www.north.example."]
    )
    assert (made["hosts"], made["address"]) == (
        ["north.example", "www.north.example"],
        "https://north.example",
    )
    directory = office.kernel.services.get(SiteDirectory)
    await directory.current()
    assert directory.code_of("NORTH.example:443") == "north"
    assert directory.code_of("elsewhere.example") == ""
    # a domain is one site's
    error = await office.refused("createSite", code="south", title="South", hosts=["www.north.example"])
    assert (error["code"], error["message"]) == (
        "SITE_REFUSED",
        "www.north.example is a domain of North shop.",
    )
    # and may be given on
    await office.done("changeSite", id=made["id"], title="North", hosts=["north.example"])
    await office.done("createSite", code="south", title="South", hosts=["www.north.example"])
    assert [site["code"] for site in await office.sites()] == ["", "north", "south"]


NO_SITES = [
    ("Not Good", [], ["input", "code"]),
    ("../etc", [], ["input", "code"]),
    ("", [], ["input", "code"]),
    ("good", ["https://a.example"], ["input", "hosts"]),
    ("good", ["a.example/path"], ["input", "hosts"]),
    ("good", ["a.example:8000"], ["input", "hosts"]),
    ("good", ["10.0.0.1"], ["input", "hosts"]),
    ("good", ["-a.example"], ["input", "hosts"]),
]


async def test_codes_and_domains_are_checked(office: Office) -> None:
    for code, hosts, path in NO_SITES:
        error = await office.refused("createSite", code=code, title="A shop", hosts=hosts)
        assert (error["code"], error["path"]) == ("SITE_REFUSED", path)


async def test_another_process_sees_what_is_published(office: Office) -> None:
    # given another process of the deployment
    async with Kernel(office.kernel.settings, office.kernel.modules) as other:
        there = other.services.get(SiteDirectory)
        assert there.site("shop.test") is not None
        # when a look is published here
        site = await office.main()
        await office.done("saveSiteDraft", id=site["id"], revision=0, brand="#e60012")
        await office.done("publishSite", id=site["id"], revision=1)
        # then it is seen there, by the signal alone
        while True:
            found = there.site("shop.test")
            assert found
            if found.version:
                break
            await asyncio.sleep(0.02)
        assert (found.version, found.look.brand) == (1, "#e60012")


async def test_lists_of_sites_and_versions_are_one_statement_however_long(office: Office) -> None:
    site = await office.main()
    counts = []
    for number in (0, 12):
        for index in range(number):
            await office.done(
                "createSite", code=f"s{index}", title="S", hosts=[f"a{index}.example", f"b{index}.example"]
            )
            await office.done("publishSite", id=site["id"], revision=0)
        with counted_statements() as statements:
            assert len(await office.sites()) == 1 + number
            assert len(await versions(office, site["id"])) == number
        counts.append(len(statements))
    assert counts == [2, 2]
