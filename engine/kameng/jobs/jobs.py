"""``kernel.jobs``: start jobs and look after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

from kameng.db.database import as_json
from kameng.errors import NotFound
from kameng.ids import new_id
from kameng.jobs import statements
from kameng.jobs.errors import JobCannotBeConfirmed, JobCannotBeRolledBack, JobMisuseError, JobNotOpen
from kameng.jobs.files import JobFiles
from kameng.jobs.job import Job, JobState, job_of
from kameng.jobs.kinds import all_kinds
from kameng.settings import JobsSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.graphql.uploads import UploadedFile
    from kameng.kernel import Kernel
    from kameng.module import JobKind

CONFIRMABLE = timedelta(hours=1)
"""How long the file of a dry run stays although its kind keeps none, so that the dry run can be confirmed."""

_UNDOABLE = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class Jobs:
    """The jobs of a deployment.

    A job belongs to its kind, not to whoever started it: everybody with the kind's permission sees it, may cancel it and may
    roll it back, so that a colleague can.

    Attributes:
        kinds: all kinds, by ``module.kind``.
        files: what they read and make.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._settings = kernel.settings.section("jobs", JobsSettings)
        self.kinds: Mapping[str, JobKind] = all_kinds(kernel.modules)
        self.files = JobFiles(kernel)

    async def start(
        self,
        kind: str,
        *,
        principal: Principal,
        locale: str = "en",
        dry_run: bool = False,
        file: UploadedFile | None = None,
        content: BinaryIO | None = None,
        correlation_id: str = "",
        address: str = "",
        **values: Any,
    ) -> Job:
        """Have a job run by a worker: after the transaction around has committed, and never if it has not.

        Args:
            kind: ``module.kind``.
            principal: who asks for it.
            locale: the language of what it writes for people.
            dry_run: tell what would be done, and write nothing.
            file, content: the file that it reads; ``content`` is called ``input`` then.
            correlation_id, address: of the request, for the audit log.
            values: its input, plain JSON values. No secrets: those come in the file.

        Raises:
            JobMisuseError: no enabled module has such a kind.
            Unauthenticated, Forbidden: the principal lacks the kind's permission.
            JobFileTooLarge, JobStoreFull: there is no room for the file.
        """
        known = self.kinds.get(kind)
        if known is None:
            raise JobMisuseError(
                f"No enabled module has jobs of the kind {kind!r}.",
                cure="Write it as 'module.kind', and enable the module.",
            )
        principal.require(known.permission.name)
        kernel, job = self._kernel, new_id()
        async with kernel.db.transaction():
            await kernel.db.execute(
                statements.START,
                job,
                kind,
                dry_run,
                principal.kind.value,
                principal.id,
                locale,
                as_json(values),
            )
            if file is not None:
                with closing(file.open()) as opened:
                    await self.files.store(
                        job, "input", file.name, file.media_type, opened, confidential=not known.keep_input
                    )
            elif content is not None:
                await self.files.store(
                    job,
                    "input",
                    "input",
                    "application/octet-stream",
                    content,
                    confidential=not known.keep_input,
                )
            await kernel.audit.record(
                "kernel.job_started",
                principal=principal,
                subject=f"job:{job}",
                details={"kind": kind, "dry_run": dry_run, "input": values},
                correlation_id=correlation_id,
                address=address,
            )
            await kernel.tasks.enqueue("kernel.run_job", job=str(job))
            (found,) = await kernel.db.fetch(statements.FIND, [job])
        return job_of(found)

    async def find(self, job: UUID, principal: Principal) -> Job | None:
        """A job that this principal may see."""
        return (await self.find_all([job], principal))[0]

    async def find_all(self, jobs: Sequence[UUID], principal: Principal) -> list[Job | None]:
        """Jobs in order; None where there is none that the principal may see."""
        rows = await self._kernel.db.fetch(statements.FIND, list(jobs))
        found = {job.id: job for row in rows if self.may_see(principal, (job := job_of(row)).kind)}
        return [found.get(job) for job in jobs]

    async def still_open(self, jobs: Sequence[UUID]) -> set[UUID]:
        """Those of these jobs that wait or run; for whoever cleans up behind the others."""
        rows = await self._kernel.db.fetch(statements.STILL_OPEN, list(jobs))
        return {UUID(int=row["id"].int) for row in rows}

    def may_see(self, principal: Principal, kind: str) -> bool:
        """Whether a principal may see the jobs of a kind, and all that can be done with them."""
        known = self.kinds.get(kind)
        return known is not None and principal.may(known.permission.name)

    def kinds_seen(self, principal: Principal) -> list[str]:
        """The kinds that a principal may see."""
        return [name for name in self.kinds if self.may_see(principal, name)]

    async def cancel(
        self, job: UUID, principal: Principal, *, correlation_id: str = "", address: str = ""
    ) -> Job:
        """Cancel a job: at once while it waits, else at the end of the chunk that it is at.

        Raises:
            NotFound: there is none that the principal may see.
            JobNotOpen: it has ended.
        """
        kernel = self._kernel
        async with kernel.db.transaction():
            found = await self._locked(job, principal)
            if not found.state.open:
                raise JobNotOpen("This job has ended.", cure="Roll it back, if it can be.")
            waiting = found.state is JobState.QUEUED
            await kernel.db.execute(
                statements.CANCEL_QUEUED if waiting else statements.REQUEST_CANCEL, found.id
            )
            if waiting:
                await self.forget_input(found)
            await self._record("kernel.job_cancelled", found, principal, correlation_id, address)
            self.tell(found.id)
            return await self._again(found.id)

    async def confirm(
        self,
        job: UUID,
        principal: Principal,
        *,
        correlation_id: str = "",
        address: str = "",
        **changed: Any,
    ) -> Job:
        """Have a worker do in earnest what a dry run told of, with the same input and the same file. Once.

        Args:
            job: the dry run.
            principal: who wants it done.
            correlation_id, address: of the request, for the audit log.
            changed: values of its input that are to be others now.

        Raises:
            NotFound: there is none that the principal may see.
            JobCannotBeConfirmed: it is no dry run that came to its end, or was confirmed before.
        """
        kernel = self._kernel
        async with kernel.db.transaction():
            found = await self._locked(job, principal)
            if not found.dry_run or found.state is not JobState.SUCCEEDED:
                raise JobCannotBeConfirmed(
                    "This is no dry run that has come to its end.", cure="Confirm a dry run that succeeded."
                )
            if found.confirmed:
                raise JobCannotBeConfirmed(
                    "This was confirmed already.", cure="Look at the job that does it."
                )
            file = await self.files.of_role(found.id, "input")
            made = await self.start(
                found.kind,
                principal=principal,
                locale=found.locale,
                correlation_id=correlation_id,
                address=address,
                **{**found.input, **changed},
            )
            if file is not None:
                with closing(await self.files.open(file)) as content:
                    await self.files.store(
                        made.id,
                        "input",
                        file.name,
                        file.media_type,
                        content,
                        confidential=file.confidential,
                    )
                if not self.kinds[found.kind].keep_input:
                    await self.files.drop([file.id])
            await kernel.db.execute(statements.CONFIRMED, found.id, str(made.id))
            await self._record("kernel.job_confirmed", found, principal, correlation_id, address)
            return made

    async def roll_back(
        self, job: UUID, principal: Principal, *, correlation_id: str = "", address: str = ""
    ) -> Job:
        """Have what a job did be undone by a worker, as far as nobody has changed it since.

        Raises:
            NotFound: there is none that the principal may see.
            JobCannotBeRolledBack: it changed nothing, has not ended, or its kind cannot be undone.
        """
        kernel = self._kernel
        async with kernel.db.transaction():
            found = await self._locked(job, principal)
            if self.kinds[found.kind].roll_back is None:
                raise JobCannotBeRolledBack("Jobs of this kind cannot be rolled back.")
            if found.state not in _UNDOABLE:
                raise JobCannotBeRolledBack(
                    f"This job is {found.state.value}.",
                    cure="Wait for its end." if found.state.open else "It was rolled back already.",
                )
            if not found.changed:
                raise JobCannotBeRolledBack("This job changed nothing.", cure="There is nothing to undo.")
            await kernel.db.execute(statements.ROLL_BACK, found.id)
            await kernel.tasks.enqueue("kernel.run_job", job=str(found.id))
            await self._record("kernel.job_rolled_back", found, principal, correlation_id, address)
            self.tell(found.id)
            return await self._again(found.id)

    async def start_waiting(self) -> None:
        """Have the oldest waiting jobs run, as many as may."""
        settings = self._settings
        rows = await self._kernel.db.fetch(statements.WAITING, settings.lease, settings.at_once)
        for row in rows:
            await self._kernel.tasks.enqueue("kernel.run_job", job=str(row["id"]))

    async def forget_input(self, job: Job) -> None:
        """Delete the file that a job was started with, if its kind does not let it stay; a dry run's a little later."""
        known = self.kinds.get(job.kind)
        if known is not None and not known.keep_input:
            if job.dry_run:
                await self._kernel.db.execute(statements.KEEP_SHORTLY, job.id, "input", CONFIRMABLE)
                return
            file = await self.files.of_role(job.id, "input")
            await self.files.drop([file.id] if file else [])

    def tell(self, job: UUID) -> None:
        """Tell whoever watches the job that it has changed, once the transaction around has committed."""
        self._kernel.live.publish(topic_of(job))

    async def _locked(self, job: UUID, principal: Principal) -> Job:
        row = await self._kernel.db.fetchrow(statements.LOCK, job)
        found = None if row is None else job_of(row)
        if found is None or not self.may_see(principal, found.kind):
            raise NotFound("There is no such job.", path=("input", "id"))
        return found

    async def _again(self, job: UUID) -> Job:
        (row,) = await self._kernel.db.fetch(statements.FIND, [job])
        return job_of(row)

    async def _record(
        self, action: str, job: Job, principal: Principal, correlation_id: str, address: str
    ) -> None:
        await self._kernel.audit.record(
            action,
            principal=principal,
            subject=f"job:{job.id}",
            details={"kind": job.kind},
            correlation_id=correlation_id,
            address=address,
        )


def topic_of(job: UUID) -> str:
    """The topic of live signals on which changes of a job are told."""
    return f"kernel.job:{job}"
