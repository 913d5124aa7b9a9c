"""The way into a fresh shop: one link, one administrator."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from kameng.auth import FIRST_ADMINISTRATOR
from kameng.auth.first_administrator import FirstAdministrator
from kameng.cli import cli
from kameng.ids import new_id

from .conftest import FOUND, PASSWORD, Club, codes


def found_input(token: str | None, email: str = "boss@example.com", **more: str) -> dict[str, Any]:
    return {
        "input": {
            "token": token,
            "email": email,
            "password": PASSWORD,
            "name": "Boss",
            "transport": "TOKEN",
            **more,
        }
    }


async def test_there_is_nobody_and_no_default_password(club: Club) -> None:
    assert await club.kernel.db.fetchval("select count(*) from membership_staff") == 0
    for password in ("admin", "admin123", "password", ""):
        assert codes(await club.log_in("admin@example.com", password, "admin")) == ["WRONG_CREDENTIALS"]


async def test_the_link_makes_an_owner_who_is_logged_in(club: Club) -> None:
    # Given the link that a fresh start prints
    link = await club.kernel.services.get(FirstAdministrator).link()
    assert link is not None
    assert link.startswith("http://localhost:8000/admin/setup?token=")
    # When it is used
    answer = await club.ask("admin", FOUND, found_input(link.rpartition("=")[2]))
    payload = answer.data["createFirstAdministrator"]
    # Then there is one owner, who holds everything and can log in again
    assert payload["errors"] == []
    assert payload["staffMember"]["roles"] == [{"name": "owner", "title": "Owner"}]
    assert payload["staffMember"]["permissions"] == ["*"]
    assert payload["staffMember"]["state"] == "ACTIVE"
    assert answer.principal.may("anything.at_all")
    assert await club.viewer(payload["token"], "admin") == "boss@example.com"
    assert codes(await club.log_in("boss@example.com", PASSWORD, "admin")) == []
    assert await club.audited() == ["membership.create_first_administrator"]


async def test_a_link_works_once_and_there_is_no_second(club: Club) -> None:
    token = await club.first_link()
    await club.ask("admin", FOUND, found_input(token))
    again = await club.ask("admin", FOUND, found_input(token, "other@example.com"))
    assert codes(again.data["createFirstAdministrator"]) == ["ONE_TIME_TOKEN_INVALID"]
    assert await club.first_link() is None


async def test_a_newer_link_makes_the_older_worthless(club: Club) -> None:
    old, new = await club.first_link(), await club.first_link()
    assert codes((await club.ask("admin", FOUND, found_input(old))).data["createFirstAdministrator"]) == [
        "ONE_TIME_TOKEN_INVALID"
    ]
    assert codes((await club.ask("admin", FOUND, found_input(new))).data["createFirstAdministrator"]) == []


async def test_of_many_who_use_one_link_at_once_one_wins(club: Club) -> None:
    token = await club.first_link()
    answers = await asyncio.gather(
        *(club.ask("admin", FOUND, found_input(token, f"{n}@example.com")) for n in range(5))
    )
    outcomes = Counter(tuple(codes(answer.data["createFirstAdministrator"])) for answer in answers)
    assert outcomes == {(): 1, ("ONE_TIME_TOKEN_INVALID",): 4}
    assert await club.kernel.db.fetchval("select count(*) from membership_staff") == 1


async def test_of_many_with_a_link_each_one_wins(club: Club) -> None:
    # Given several links that all hold, as if two processes had printed them at the same moment
    one_time = club.kernel.auth.one_time
    tokens = [await one_time.issue(FIRST_ADMINISTRATOR, timedelta(hours=1), {}) for _ in range(5)]
    # When all are used at once
    answers = await asyncio.gather(
        *(club.ask("admin", FOUND, found_input(token, f"{n}@example.com")) for n, token in enumerate(tokens))
    )
    # Then one makes an administrator
    outcomes = Counter(tuple(codes(answer.data["createFirstAdministrator"])) for answer in answers)
    assert outcomes == {(): 1, ("ALREADY_SET_UP",): 4}
    assert await club.kernel.db.fetchval("select count(*) from membership_staff") == 1


async def test_a_link_is_not_used_up_by_a_weak_password(club: Club) -> None:
    token = await club.first_link()
    weak = await club.ask("admin", FOUND, found_input(token, password="short"))
    assert codes(weak.data["createFirstAdministrator"]) == ["WEAK_PASSWORD"]
    assert codes((await club.ask("admin", FOUND, found_input(token))).data["createFirstAdministrator"]) == []


async def test_a_link_of_another_purpose_opens_nothing(club: Club) -> None:
    token = await club.kernel.auth.one_time.issue(
        "staff_invitation", timedelta(hours=1), {"staff": str(new_id())}
    )
    answer = await club.ask("admin", FOUND, found_input(token))
    assert codes(answer.data["createFirstAdministrator"]) == ["ONE_TIME_TOKEN_INVALID"]


async def test_the_database_admits_one_founder(club: Club) -> None:
    await club.founded()
    with pytest.raises(asyncpg.UniqueViolationError, match="membership_staff_one_founder"):
        await club.kernel.db.execute(
            """
            insert into membership_staff (id, email, password_hash, name, state, founder)
            values ($1, 'second@example.com', 'none', 'Second', 'active', true)
            """,
            new_id(),
        )


async def test_the_command_prints_the_link_until_there_is_an_administrator(
    club: Club, tmp_path: Path
) -> None:
    # Given a deployment on this database
    engine = club.kernel.settings.engine
    config = tmp_path / "kameng.toml"
    config.write_text(
        f"""
        [kameng]
        database_url = "{engine.database_url}"
        redis_url = "{engine.redis_url}"
        data_dir = "{engine.data_dir}"
        public_url = "https://shop.example"
        [modules]
        enabled = ["catalog", "membership"]
        """
    )

    async def kameng(*arguments: str) -> tuple[int, str]:
        # In a thread, since a command runs a loop of its own.
        result = await asyncio.to_thread(CliRunner().invoke, cli, ["--config", str(config), *arguments])
        return result.exit_code, result.output.strip()

    assert (await kameng("migrate"))[0] == 0
    # When the link is asked for, then it works
    code, link = await kameng("staff", "invite-first")
    assert code == 0
    assert link.startswith("https://shop.example/admin/setup?token=")
    answer = await club.ask("admin", FOUND, found_input(link.rpartition("=")[2]))
    assert codes(answer.data["createFirstAdministrator"]) == []
    # and afterwards there is none
    code, output = await kameng("staff", "invite-first")
    assert (code, output) == (
        1,
        "There is an administrator already, who can invite others in the back office.",
    )
