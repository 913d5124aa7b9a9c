"""An embedded PostgreSQL in ordinary life."""

import socket
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from kameng.embedded import EmbeddedPostgres, ServerFailedError, ServerSettingError


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_from_an_empty_folder_to_a_database_of_the_applications_own(folder: Path) -> None:
    # Given an empty folder
    # When a server is started on it
    with EmbeddedPostgres(folder / "postgres", database="shop") as postgres:
        # Then the application's role owns the application's database
        assert await ask(postgres.dsn, "SELECT current_user || ' ' || current_database()") == "kameng shop"
        assert (
            await ask(postgres.socket_dsn, "SELECT current_user || ' ' || current_database()")
            == "kameng shop"
        )
        assert (
            await ask(postgres.dsn, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop'")
            == "kameng"
        )
        # and it is no superuser, but may make databases of its own and extensions that are safe
        assert await ask(postgres.dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = 'kameng'") is False
        await ask(postgres.dsn, "CREATE DATABASE other")
        await ask(postgres.dsn, "CREATE EXTENSION pg_trgm")
        assert await ask(postgres.dsn, "SELECT count(*) > 0 FROM pg_stat_statements") is True


async def test_commits_are_durable_and_the_settings_fit(postgres_folder: Path) -> None:
    with EmbeddedPostgres(postgres_folder, settings={"work_mem": "12MB"}) as postgres:
        shown = {
            name: await ask(postgres.dsn, f"SHOW {name}")
            for name in (
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "jit",
                "max_connections",
                "autovacuum",
            )
        }
        assert shown == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "jit": "off",
            "max_connections": "200",
            "autovacuum": "on",
        }
        assert await ask(postgres.dsn, "SHOW work_mem") == "12MB"
        assert await ask(postgres.dsn, "SHOW data_checksums") == "on"
        assert await ask(postgres.dsn, "SHOW timezone") == "UTC"


@pytest.mark.parametrize(
    "name", ["fsync", "Synchronous_Commit", "full_page_writes", "listen_addresses", "port"]
)
def test_no_setting_undoes_a_promise(folder: Path, name: str) -> None:
    with pytest.raises(ServerSettingError, match=name):
        EmbeddedPostgres(folder / "postgres", settings={name: "off"})


async def test_nobody_connects_without_the_password(postgres_folder: Path) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        place = f"127.0.0.1:{postgres.port}"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(f"postgresql://kameng:wrong@{place}/kameng", "SELECT 1")
        # and the superuser not at all over TCP
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await ask(f"postgresql://postgres:wrong@{place}/postgres", "SELECT 1")
        assert await ask(postgres.admin_dsn, "SELECT current_user::text") == "postgres"
        assert (postgres_folder / "password").stat().st_mode & 0o777 == 0o600


async def test_it_listens_on_the_loopback_address_alone(postgres_folder: Path) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        assert await ask(postgres.dsn, "SHOW listen_addresses") == "127.0.0.1"
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", postgres.port))


async def test_data_port_and_password_stay(postgres_folder: Path) -> None:
    # Given a row in a server that was stopped
    postgres = EmbeddedPostgres(postgres_folder)
    postgres.start()
    dsn = postgres.dsn
    await ask(dsn, "DROP TABLE IF EXISTS kept")
    await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.stop()
    # When another object starts it again
    with EmbeddedPostgres(postgres_folder) as again:
        # Then address and row are the same
        assert again.dsn == dsn
        assert await ask(dsn, "SELECT answer FROM kept") == 42


async def test_a_lost_password_is_made_anew(postgres_folder: Path) -> None:
    before = (postgres_folder / "password").read_text()
    (postgres_folder / "password").unlink()
    with EmbeddedPostgres(postgres_folder) as postgres:
        assert await ask(postgres.dsn, "SELECT 1") == 1
        password = (postgres_folder / "password").read_text()
        assert password != before
        # and it is in no log and no statistics
        assert password.strip() not in (postgres_folder / "server.log").read_text()
        assert (
            await ask(
                postgres.dsn,
                f"SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%{password.strip()}%'",
            )
            == 0
        )


def test_a_new_data_folder_is_brought_to_the_disk(
    folder: Path, copy_of_postgres: Callable[[Path], Path], eventually: Callable[[Callable[[], bool]], None]
) -> None:
    # Given a folder whose creator was killed before all of it was on the disk
    marker = copy_of_postgres(folder / "postgres") / "unsynced"
    marker.touch()
    # When it is started again, then the rest is done
    with EmbeddedPostgres(folder / "postgres"):
        eventually(lambda: not marker.exists())


async def test_without_durability_only_when_asked(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=False) as postgres:
        assert await ask(postgres.dsn, "SHOW fsync") == "off"
        assert not (folder / "postgres" / "unsynced").exists()


def test_start_twice_and_stop_twice(postgres_folder: Path) -> None:
    postgres = EmbeddedPostgres(postgres_folder)
    with pytest.raises(ServerFailedError, match="not started"):
        _ = postgres.pid
    postgres.start()
    with pytest.raises(ServerFailedError, match="started before"):
        postgres.start()
    assert postgres.running
    postgres.stop()
    postgres.stop()
    assert not postgres.running


async def test_a_deep_folder_gets_its_socket_elsewhere(
    folder: Path, copy_of_postgres: Callable[[Path], Path]
) -> None:
    # Given a data folder whose path is longer than a socket's may be
    deep = folder / ("d" * 60) / ("e" * 60) / "postgres"
    deep.parent.mkdir(parents=True)
    copy_of_postgres(deep)
    with EmbeddedPostgres(deep) as postgres:
        # Then the socket works and lies in a folder of its own
        assert await ask(postgres.socket_dsn, "SELECT 1") == 1
        sockets = Path(postgres.admin_dsn.split("host=")[1].split("&")[0])
        assert not sockets.is_relative_to(deep)
        assert sockets.stat().st_mode & 0o777 == 0o700
    # and is gone afterwards
    assert not sockets.exists()
