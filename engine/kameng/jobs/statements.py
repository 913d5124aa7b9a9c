"""The SQL of jobs."""

from kameng.db import Statement

START = Statement(
    "kernel.start_job",
    """
    insert into kernel_job (id, kind, dry_run, owner_kind, owner, locale, input, created_at)
    values ($1, $2, $3, $4, $5, $6, $7::jsonb, clock_timestamp())
    """,
)

FIND = Statement("kernel.find_jobs", "select * from kernel_job where id = any($1::uuid[])")

STILL_OPEN = Statement(
    "kernel.open_jobs",
    "select id from kernel_job where id = any($1::uuid[]) and state in ('QUEUED', 'RUNNING')",
)

LOCK = Statement("kernel.lock_job", "select * from kernel_job where id = $1 for update")

BEGIN = Statement(
    "kernel.begin_job",
    """
    update kernel_job set state = 'RUNNING', fence = fence + 1, tries = tries + 1,
        heartbeat_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp())
    where id = $1 and (state = 'QUEUED' or state = 'RUNNING' and heartbeat_at < clock_timestamp() - $2::interval)
        and (
            select count(*) from kernel_job
            where state = 'RUNNING' and heartbeat_at >= clock_timestamp() - $2::interval
        ) < $3
    returning *
    """,
)
"""$1 the job, $2 the lease, $3 how many may run at once."""

BEAT = Statement(
    "kernel.keep_job",
    """
    update kernel_job set heartbeat_at = clock_timestamp(), rows_done = $3, rows_total = $4, problems = $5
    where id = $1 and fence = $2 and state = 'RUNNING'
    returning cancel_requested
    """,
)
"""$1 the job, $2 the run."""

COMMIT_CHUNK = Statement(
    "kernel.commit_job_chunk",
    """
    update kernel_job set heartbeat_at = clock_timestamp(), tries = 0, saved = $3::jsonb, changed = changed or $4,
        rows_done = $5, rows_total = $6, problems = $7
    where id = $1 and fence = $2 and state = 'RUNNING'
    returning cancel_requested
    """,
)
"""$1 the job, $2 the run: the last statement of each chunk. No row: another run has the job, and nothing is committed."""

END = Statement(
    "kernel.end_job",
    """
    update kernel_job set state = $3, error = $4::jsonb, ended_at = clock_timestamp(),
        rows_done = $6, rows_total = $7, problems = $8,
        result = case when rolling_back then result else coalesce($5::jsonb, result) end,
        undone = case when rolling_back then coalesce($5::jsonb, undone) else undone end
    where id = $1 and fence = $2 and state = 'RUNNING'
    returning id
    """,
)

RELEASE = Statement(
    "kernel.release_job",
    "update kernel_job set state = 'QUEUED' where id = $1 and fence = $2 and state = 'RUNNING' returning id",
)
"""Whoever stops gives the job back. $1 the job, $2 the run."""

GIVE_BACK = Statement(
    "kernel.give_back_job",
    """
    update kernel_job set state = 'QUEUED', tries = tries - 1
    where id = $1 and fence = $2 and state = 'RUNNING' returning id
    """,
)
"""As `RELEASE`, by a worker that is stopped: that was no failure."""

CANCEL_QUEUED = Statement(
    "kernel.cancel_queued_job",
    """
    update kernel_job set state = 'CANCELLED', cancel_requested = true, ended_at = clock_timestamp()
    where id = $1 and state = 'QUEUED'
    """,
)

REQUEST_CANCEL = Statement(
    "kernel.request_job_cancel",
    "update kernel_job set cancel_requested = true where id = $1 and state = 'RUNNING'",
)

ROLL_BACK = Statement(
    "kernel.roll_back_job",
    """
    update kernel_job set state = 'QUEUED', rolling_back = true, cancel_requested = false, tries = 0, saved = '{}',
        rows_done = 0, rows_total = null, error = null, ended_at = null
    where id = $1
    """,
)

WAITING = Statement(
    "kernel.list_waiting_jobs",
    """
    select id from kernel_job
    where state = 'QUEUED' or state = 'RUNNING' and heartbeat_at < clock_timestamp() - $1::interval
    order by id
    limit greatest(0, $2 - (
        select count(*) from kernel_job
        where state = 'RUNNING' and heartbeat_at >= clock_timestamp() - $1::interval
    ))
    """,
)
"""The oldest jobs that wait for a worker, or whose worker fell silent: as many as may run. $1 the lease, $2 how many at once."""

NOTE_CHANGES = Statement(
    "kernel.note_job_changes",
    """
    insert into kernel_job_change (job, subject, content, problem)
    select $1, subject, content, problem from jsonb_to_recordset($2::jsonb) as r (subject text, content jsonb, problem text)
    """,
)

CHANGES = Statement(
    "kernel.list_job_changes",
    """
    select id, subject, content, problem, outcome from kernel_job_change
    where job = $1 and id > $2 order by id limit $3
    """,
)

LATEST_CHANGES = Statement(
    "kernel.list_latest_job_changes",
    """
    select id, subject, content from kernel_job_change
    where job = $1 and problem is null and outcome is null order by id desc limit $2
    """,
)
"""What a roll-back has still to do, the last change first."""

COUNT_CHANGES = Statement(
    "kernel.count_job_changes",
    """
    select count(*) filter (where problem is null) as changed, count(*) filter (where problem is not null) as problems,
        count(*) filter (where outcome = 'restored') as restored,
        count(*) filter (where outcome <> 'restored') as left_alone
    from kernel_job_change where job = $1
    """,
)

SETTLE_CHANGES = Statement(
    "kernel.settle_job_changes",
    """
    update kernel_job_change c set outcome = r.outcome
    from unnest($2::bigint[], $3::text[]) as r (id, outcome) where c.id = r.id and c.job = $1
    """,
)

FORGET_CHANGES = Statement("kernel.forget_job_changes", "delete from kernel_job_change where job = $1")

FILES_OF = Statement(
    "kernel.list_job_files", "select * from kernel_job_file where job = any($1::uuid[]) order by id"
)

FIND_FILE = Statement("kernel.find_job_file", "select * from kernel_job_file where id = $1")

FILE_OF_ROLE = Statement(
    "kernel.find_job_file_of_role", "select * from kernel_job_file where job = $1 and role = $2"
)

STORED_BYTES = Statement(
    "kernel.count_job_file_bytes", "select coalesce(sum(size), 0)::bigint from kernel_job_file"
)

ADD_FILE = Statement(
    "kernel.add_job_file",
    """
    insert into kernel_job_file (id, job, role, name, media_type, data_key, confidential, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp() + $8::interval)
    """,
)

FINISH_FILE = Statement(
    "kernel.finish_job_file", "update kernel_job_file set size = $2 where id = $1 returning *"
)

DROP_FILES = Statement(
    "kernel.drop_job_files", "delete from kernel_job_file where id = any($1::uuid[]) returning id"
)

PIECES = Statement(
    "kernel.read_job_pieces",
    "select number, sealed from kernel_job_piece where file = $1 and number >= $2 order by number limit $3",
)

KEEP_SHORTLY = Statement(
    "kernel.keep_job_file_shortly",
    """
    update kernel_job_file set expires_at = least(expires_at, clock_timestamp() + $3::interval)
    where job = $1 and role = $2
    """,
)

CONFIRMED = Statement(
    "kernel.confirm_job",
    "update kernel_job set saved = saved || jsonb_build_object('confirmed', $2::text) where id = $1",
)

EXPIRED_FILES = Statement(
    "kernel.list_expired_job_files",
    """
    select f.id from kernel_job_file f join kernel_job j on j.id = f.job
    where f.expires_at < clock_timestamp() and j.state not in ('QUEUED', 'RUNNING') limit 100
    """,
)

PRUNE_JOBS = Statement(
    "kernel.list_old_jobs",
    """
    select id from kernel_job where state not in ('QUEUED', 'RUNNING') and ended_at < now() - $1::interval
    order by ended_at limit 20
    """,
)

DELETE_JOB = Statement("kernel.delete_job", "delete from kernel_job where id = $1")
