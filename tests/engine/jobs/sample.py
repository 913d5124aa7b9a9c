"""A module with kinds of jobs, for the tests of jobs."""

from __future__ import annotations

import asyncio
import io
from typing import Any

from kameng.auth import Principal, PrincipalKind
from kameng.errors import InvalidInput
from kameng.ids import new_id
from kameng.jobs import Job, JobReport, JobRun
from kameng.kernel import Kernel
from kameng.module import JobKind, Module, Permission

COUNT = Permission("sample.count", "Count", "数数")
OTHER = Permission("sample.other", "Other", "其他")

TABLES = "create table counted (job uuid not null, number int not null)"
"""It has no unique key, so that a chunk that is done twice shows."""


async def count(run: JobRun) -> JobReport:
    """Write the numbers from 1 to ``input["to"]``, ten in a chunk; each chunk takes ``input["pause"]`` seconds."""
    run.total = int(run.input["to"])
    while (first := run.saved.get("after", 0)) < run.total:
        numbers = list(range(first + 1, min(first + 10, run.total) + 1))
        async with run.chunk():
            if not run.dry_run:
                await run.kernel.db.execute(
                    "insert into counted select $1, unnest($2::int[])", run.job.id, numbers
                )
                run.changed = True
            await run.note_all([(str(number), {"number": number}, None) for number in numbers])
            await asyncio.sleep(float(run.input.get("pause", 0)))
            if run.input.get("fail_at", -1) in numbers:
                raise InvalidInput("The number is unlucky.", cure="Take another one.")
            run.done += len(numbers)
            run.saved["after"] = numbers[-1]
    async with run.chunk():
        text = "".join(f"{number}\n" for number in range(1, run.total + 1))
        await run.store("output", "numbers.csv", "text/csv", io.BytesIO(text.encode()))
    return JobReport(counts={"counted": run.done}, applied=not run.dry_run)


async def take_back(run: JobRun) -> JobReport:
    """Delete the numbers, the last first; those that somebody made negative stay."""
    while changes := await run.to_undo(10):
        async with run.chunk():
            outcomes = {}
            for change in changes:
                gone = await run.kernel.db.execute(
                    "delete from counted where job = $1 and number = $2",
                    run.job.id,
                    change["content"]["number"],
                )
                outcomes[change["id"]] = "restored" if gone != "DELETE 0" else "somebody changed it"
            await run.settle(outcomes)
            run.done += len(changes)
    counts = await run.counts()
    return JobReport(counts={name: counts[name] for name in ("restored", "left_alone")}, applied=True)


async def read(run: JobRun) -> JobReport:
    """Tell how many bytes the input has."""
    content, file = await run.open_input()
    with content:
        return JobReport(counts={"bytes": len(content.read()), "size": file.size})


class Stumbles:
    """Fails so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def __call__(self, run: JobRun) -> JobReport:
        self.left -= 1
        if self.left >= 0:
            raise RuntimeError("stumbled over card 4711-0815")
        return JobReport()


def kind(name: str, call: Any, **options: Any) -> JobKind:
    return JobKind(
        name=name,
        call=call,
        permission=options.pop("permission", COUNT),
        title_en=name.title(),
        title_zh="数数",
        **options,
    )


def module(*kinds: JobKind) -> Module:
    own = (kind("count", count, roll_back=take_back), kind("read", read, keep_input=False))
    return Module(name="sample", version="1.0.0", jobs=(*own, *kinds), permissions=(COUNT, OTHER))


def clerk(*permissions: str) -> Principal:
    names = frozenset(permissions or {"sample.count"})
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=names)


CLERK = clerk()


async def counted(kernel: Kernel, job: Job) -> list[int]:
    rows = await kernel.db.fetch("select number from counted where job = $1 order by number", job.id)
    return [row["number"] for row in rows]


async def again(kernel: Kernel, job: Job) -> Job:
    """The job as it is now."""
    found = await kernel.jobs.find(job.id, CLERK)
    assert found is not None
    return found
