"""Jobs in the back office's schema: pages, progress, cancelling, rolling back, each for those who may."""

from __future__ import annotations

import asyncio
from typing import Any

from kameng.auth import VISITOR, Principal
from kameng.graphql import Context
from kameng.ids import global_id
from kameng.jobs.running import run_job
from kameng.kernel import Kernel
from kameng.module import Module
from kameng.tasks import drain
from kameng.testing.kernels import Kernels

from .sample import CLERK, clerk

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; no measure of anything."""

JOB = """query($id: ID!) { job(id: $id) { id kind title state rowsDone rowsTotal canBeRolledBack startedBy
  report { applied counts { name count } problemCount } files { role name size url } failure { code } } }"""


async def ask(
    kernel: Kernel, document: str, variables: dict[str, Any] | None = None, principal: Principal = CLERK
) -> Any:
    context = Context(kernel, principal=principal, locale="en", schema="admin")
    answer = await kernel.graphql["admin"].execute(document, variables, context)
    return [error["extensions"]["code"] for error in answer.errors] if answer.errors else answer.data


async def test_a_job_as_the_back_office_sees_it(kernel: Kernel) -> None:
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=12)
    await drain(kernel)
    key = {"id": global_id("Job", job.id)}

    shown = (await ask(kernel, JOB, key))["job"]

    (file,) = shown.pop("files")
    assert shown == {
        "id": key["id"],
        "kind": "sample.count",
        "title": "Count",
        "state": "SUCCEEDED",
        "rowsDone": 12,
        "rowsTotal": 12,
        "canBeRolledBack": True,
        "startedBy": CLERK.key,
        "report": {"applied": True, "counts": [{"name": "counted", "count": 12}], "problemCount": 0},
        "failure": None,
    }
    assert file["url"].startswith("/jobs/files/")
    assert (await ask(kernel, "query($id: ID!) { node(id: $id) { id } }", key))["node"] == {"id": key["id"]}
    stranger = clerk("sample.other")
    assert await ask(kernel, JOB, key, stranger) == ["FORBIDDEN"]
    assert await ask(kernel, JOB, key, VISITOR) == ["UNAUTHENTICATED"]
    assert (await ask(kernel, "query($id: ID!) { node(id: $id) { id } }", key, stranger))["node"] is None


async def test_the_list_of_jobs_is_paged_and_filtered(kernel: Kernel) -> None:
    jobs = [await kernel.jobs.start("sample.count", principal=CLERK, to=number) for number in range(3)]
    await kernel.jobs.cancel(jobs[1].id, CLERK)
    page = "query($after: String) { jobs(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
    first = (await ask(kernel, page))["jobs"]
    rest = (await ask(kernel, page, {"after": first["pageInfo"]["endCursor"]}))["jobs"]
    ids = [node["id"] for node in first["nodes"] + rest["nodes"]]
    assert ids == [global_id("Job", job.id) for job in reversed(jobs)]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    cancelled = await ask(kernel, '{ jobs(state: CANCELLED, kind: "sample.count") { nodes { id state } } }')
    assert cancelled["jobs"]["nodes"] == [{"id": global_id("Job", jobs[1].id), "state": "CANCELLED"}]
    assert (await ask(kernel, '{ jobs(kind: "sample.read") { nodes { id } } }'))["jobs"]["nodes"] == []


async def test_a_job_is_rolled_back_once(kernel: Kernel) -> None:
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=12)
    await drain(kernel)
    change = (
        "mutation($id: ID!) { rollBackJob(input: {id: $id}) { job { state rollingBack } errors { code } } }"
    )
    key = {"id": global_id("Job", job.id)}
    assert (await ask(kernel, change, key))["rollBackJob"] == {
        "job": {"state": "QUEUED", "rollingBack": True},
        "errors": [],
    }
    refused = (await ask(kernel, change, key))["rollBackJob"]
    assert refused == {"job": None, "errors": [{"code": "JOB_CANNOT_BE_ROLLED_BACK"}]}
    await drain(kernel)
    shown = await ask(
        kernel,
        "query($id: ID!) { job(id: $id) { state undone { counts { name count } } canBeRolledBack } }",
        key,
    )
    assert shown["job"] == {
        "state": "ROLLED_BACK",
        "undone": {"counts": [{"name": "restored", "count": 12}, {"name": "left_alone", "count": 0}]},
        "canBeRolledBack": False,
    }
    cancel = "mutation($id: ID!) { cancelJob(input: {id: $id}) { errors { code } } }"
    assert (await ask(kernel, cancel, key))["cancelJob"]["errors"] == [{"code": "JOB_NOT_OPEN"}]


async def test_progress_is_told_until_the_end(kernel: Kernel) -> None:
    # Given somebody who watches a job that waits
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=60, pause=0.2)
    watch = "subscription($id: ID!) { jobProgress(id: $id) { state rowsDone rowsTotal } }"
    context = Context(kernel, principal=CLERK, schema="admin", locale="en")
    answers = await kernel.graphql["admin"].subscribe(watch, {"id": global_id("Job", job.id)}, context)
    assert hasattr(answers, "__anext__"), answers
    seen = [(await asyncio.wait_for(anext(answers), PATIENCE)).data["jobProgress"]]
    # When it runs
    running = asyncio.ensure_future(run_job(kernel, str(job.id)))
    async with asyncio.timeout(PATIENCE):
        seen += [answer.data["jobProgress"] async for answer in answers]
    await running
    # Then its states and numbers only go forward, and the stream ends with the job
    assert seen[0] == {"state": "QUEUED", "rowsDone": 0, "rowsTotal": None}
    assert seen[-1] == {"state": "SUCCEEDED", "rowsDone": 60, "rowsTotal": 60}
    numbers = [one["rowsDone"] for one in seen]
    assert numbers == sorted(numbers)
    assert {one["state"] for one in seen} == {"QUEUED", "RUNNING", "SUCCEEDED"}
    assert len(set(numbers)) > 2
    assert kernel.live._subscribers == {}


async def test_nobody_watches_what_he_may_not_see(kernel: Kernel) -> None:
    job = await kernel.jobs.start("sample.count", principal=CLERK, to=1)
    context = Context(kernel, principal=clerk("sample.other"), schema="admin", locale="en")
    answer = await kernel.graphql["admin"].subscribe(
        "subscription($id: ID!) { jobProgress(id: $id) { state } }", {"id": global_id("Job", job.id)}, context
    )
    assert answer.errors[0]["extensions"]["code"] == "NOT_FOUND"  # type: ignore[union-attr,index]  # it was refused


async def test_without_kinds_there_are_no_fields(make_kernel: Kernels) -> None:
    kernel = await make_kernel([Module(name="bare", version="1.0.0")])
    assert "jobProgress" not in kernel.schemas["admin"].as_str()


CONFIRM = """mutation($input: ConfirmJobInput!) { confirmJob(input: $input) {
  job { id dryRun } errors { code } } }"""


async def test_a_dry_run_is_done_in_earnest_once(kernel: Kernel) -> None:
    told = await kernel.jobs.start("sample.count", principal=CLERK, dry_run=True, to=7)
    key = global_id("Job", told.id)
    fields = "query($id: ID!) { job(id: $id) { canBeConfirmed confirmedAs rowsDone } }"

    # given one that has not run yet
    early = await ask(kernel, CONFIRM, {"input": {"id": key}})
    assert early["confirmJob"] == {"job": None, "errors": [{"code": "JOB_CANNOT_BE_CONFIRMED"}]}
    await drain(kernel)
    assert (await ask(kernel, fields, {"id": key}))["job"]["canBeConfirmed"] is True

    # when it is confirmed twice
    done = (await ask(kernel, CONFIRM, {"input": {"id": key}}))["confirmJob"]
    again = (await ask(kernel, CONFIRM, {"input": {"id": key}}))["confirmJob"]
    await drain(kernel)

    # then one job does it, with the same input
    assert (done["job"]["dryRun"], done["errors"]) == (False, [])
    assert again == {"job": None, "errors": [{"code": "JOB_CANNOT_BE_CONFIRMED"}]}
    shown = (await ask(kernel, fields, {"id": key}))["job"]
    assert shown == {"canBeConfirmed": False, "confirmedAs": done["job"]["id"], "rowsDone": 7}
    assert (await ask(kernel, JOB, {"id": done["job"]["id"]}))["job"]["rowsDone"] == 7


async def test_a_stranger_confirms_nothing(kernel: Kernel) -> None:
    told = await kernel.jobs.start("sample.count", principal=CLERK, dry_run=True, to=2)
    await drain(kernel)
    key = {"input": {"id": global_id("Job", told.id)}}
    refused = await ask(kernel, CONFIRM, key, clerk("sample.other"))
    assert refused["confirmJob"] == {"job": None, "errors": [{"code": "FORBIDDEN"}]}
    assert [job["kind"] for job in await kernel.db.fetch("select kind from kernel_job")] == ["sample.count"]
