"""Commands that look after a deployment: migrations, audit log, master keys, events, and the doctor."""

from __future__ import annotations

import stat
from pathlib import Path

from kameng.events import Event
from kameng.kernel import Kernel
from kameng.loader import load_modules
from kameng.module import Handler, Module, Task
from kameng.settings import read_settings
from kameng.tasks import drain
from kameng.testing.clients import a_clerk
from kameng.testing.databases import Databases, TestServices
from kameng.testing.kernels import Kernels
from kameng_analytics import migrations
from tests.commands import Commands

from .conftest import Command, variables_of


async def test_the_database_goes_forwards_and_back(
    command: Command, make_database: Databases, services: TestServices
) -> None:
    # Given an empty database
    urls = {"DATABASE_URL": await make_database(), "REDIS_URL": services.redis_url}
    ended = await command("migrate", "status", **urls)
    assert ended.status == 1
    count = int(ended.output.splitlines()[-1].split()[0])
    assert ended.output.endswith(f"{count} migrations have not run.\n")
    assert len(ended.output.splitlines()) == count + 1
    # When it is used, then it is told what to do
    ended = await command("events", "backlog", **urls)
    assert (ended.status, ended.errors) == (
        1,
        f"Error: {count} migrations have not run.\nCure: Run `kameng migrate` first.\n",
    )
    # When it is migrated, then nothing is left to do
    ended = await command("migrate", **urls)
    assert (ended.status, ended.output.splitlines()[-1]) == (0, f"{count} migrations ran.")
    assert (await command("migrate", **urls)).output == "Nothing to do: the database is where the code is.\n"
    # When nobody says yes, then nothing is undone
    assert (await command("migrate", "backwards", "analytics", **urls)).status != 0
    ended = await command("migrate", "status", **urls)
    assert (ended.status, ended.output) == (0, "The database is where the code is.\n")
    # When one module is undone, then its migrations are to do again
    analytics = len(list(Path(migrations.__file__).parent.glob("analytics_*.py")))
    ended = await command("migrate", "backwards", "analytics", "--yes", **urls)
    assert (ended.status, ended.output.splitlines()[-1]) == (0, f"{analytics} migrations undone.")
    told = (await command("migrate", "status", **urls)).output
    assert told.endswith(f"{analytics} migrations have not run.\n")
    # When there is no such module, then those that there are are named
    ended = await command("migrate", "backwards", "nothing", "--yes", **urls)
    assert ended.status == 1
    assert ended.errors.startswith(
        "Error: No enabled module has migrations named 'nothing'.\nCure: Take one of: "
    )


async def test_the_doctor_tells_what_is_wrong(
    command: Command, beside: Command, make_database: Databases, services: TestServices
) -> None:
    # Given a deployment that is in order
    ended = await beside("doctor")
    assert (ended.status, ended.output.splitlines()[-1]) == (0, "All is well.")
    # Given one whose database is empty
    ended = await command("doctor", DATABASE_URL=await make_database(), REDIS_URL=services.redis_url)
    assert ended.status == 1
    assert "run `kameng migrate`" in ended.output
    # Given one without a database
    ended = await command("doctor", DATABASE_URL="postgresql://127.0.0.1:1/x", REDIS_URL=services.redis_url)
    assert (ended.status, ended.output.splitlines()[-1]) == (1, "1 faults.")


async def test_the_audit_log_is_verified(kernel: Kernel, beside: Command) -> None:
    # Given entries
    for subject in ("order:1", "order:2"):
        await kernel.audit.record("test.do", principal=a_clerk(), subject=subject)
    await kernel.audit.chain()
    # Then the log is whole
    assert (await beside("audit", "verify")).status == 0
    # When somebody changes one behind our back, then it is not
    await kernel.db.execute("alter table kernel_audit disable trigger all")
    await kernel.db.execute("update kernel_audit set subject = 'order:3' where subject = 'order:1'")
    assert (await beside("audit", "verify")).status == 1
    # and an anchor that is none is refused
    ended = await beside("audit", "verify", "--anchor", "x")
    assert (ended.status, ended.errors.splitlines()[0]) == (1, "Error: 'x' is no anchor.")


async def test_master_keys_are_made_once(command: Command, tmp_path: Path) -> None:
    # Given a new shop in production, which makes no keys by itself
    path = tmp_path / "keys" / "vault.keys"
    variables = {"KAMENG_KAMENG__ENVIRONMENT": "production", "KAMENG_MASTER_KEYS_FILE": str(path)}
    # When they are made, then their owner alone can read them
    ended = await command("vault", "init", **variables)
    assert (ended.status, ended.output.splitlines()[0]) == (
        0,
        f"Master keys were made at {path}, for its owner alone.",
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    # When they are to be made again, then they are kept
    ended = await command("vault", "init", **variables)
    assert (ended.status, ended.errors.splitlines()[0]) == (
        1,
        f"Error: There are master keys at {path} already.",
    )
    assert path.read_bytes() == made
    # When they come by the environment, then there is no file to make
    ended = await command("vault", "init", KAMENG_MASTER_KEYS=made.decode())
    assert (ended.status, "KAMENG_MASTER_KEYS" in ended.errors) == (1, True)


async def test_master_keys_are_rotated(kernel: Kernel, beside: Command) -> None:
    # Given a sealed secret
    key = await kernel.vault.new_key("test:1")
    [sealed] = await kernel.vault.seal_many(key, [(b"secret", b"here")])
    assert "version   1        1 data keys  in force" in (await beside("vault", "status")).output
    # When the keys are rotated
    ended = await beside("vault", "rotate")
    assert ended.status == 0
    [first, last] = ended.output.splitlines()
    version = first.split()[2]
    assert last == f"1 data keys are wrapped by master key {version} now."
    # Then the new one wraps everything, and the secret can still be opened
    status = (await beside("vault", "status")).output
    assert "0 data keys  old, wraps nothing any more" in status
    assert "1 data keys  in force" in status
    assert await kernel.vault.open(key.id, sealed, b"here") == b"secret"


class Happened(Event, frozen=True, kw_only=True):
    name = "broken.happened"


async def _fail(_kernel: Kernel, _event: Happened) -> None:
    raise RuntimeError


async def _fail_task(_kernel: Kernel) -> None:
    raise RuntimeError


BROKEN = Module(
    name="broken",
    version="1.0",
    events=(Happened,),
    handlers=(Handler(name="fail", event=Happened, call=_fail, attempts=1),),
    tasks=(Task(name="fail_task", call=_fail_task, attempts=1),),
)


async def test_dead_letters_are_listed_and_tried_anew(
    commands: Commands, make_kernel: Kernels, tmp_path: Path
) -> None:
    # Given an event and a task that failed for the last time
    kernel = await make_kernel([*load_modules(read_settings(environ={})), BROKEN])
    command = Command(commands, tmp_path, variables_of(kernel))
    async with kernel.db.transaction():
        await kernel.events.emit(Happened())
    task = await kernel.tasks.enqueue("broken.fail_task")
    await drain(kernel)
    [letter] = await kernel.events.list_dead()
    # Then both are counted and listed by their keys
    counts = [line.split("  ")[0] for line in (await command("events", "backlog")).output.splitlines()]
    assert counts == ["unrelayed", "owed", "dead", "dead tasks"]
    listed = (await command("events", "dead")).output.splitlines()
    assert [line.split("  ")[:2] for line in listed] == [
        [f"{letter.event}:broken.fail", "broken.happened"],
        [str(task), "broken.fail_task"],
    ]
    # When one of them and one that is not dead are requeued, then that is told
    ended = await command("events", "requeue", f"{letter.event}:broken.fail", f"{letter.event}:broken.other")
    assert (ended.status, ended.output, ended.errors) == (
        1,
        "1 will be tried anew.\n",
        "1 of the keys name nothing dead.\n",
    )
    assert await kernel.events.list_dead() == []
    # When all are, then nothing is dead any more
    ended = await command("events", "requeue", "--all")
    assert (ended.status, ended.output) == (0, "1 will be tried anew.\n")
    assert (await command("events", "dead")).output == "Nothing is dead.\n"
    # When a wrong key is named, then it says what a key is
    ended = await command("events", "requeue", "17")
    assert (ended.status, "'17' is no key" in ended.errors) == (2, True)
