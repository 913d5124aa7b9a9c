"""Jobs: bulk work that survives restarts, tells its progress, and can be cancelled and rolled back.

A module declares kinds of jobs (`kameng.module.JobKind`); a worker runs them, chunk by chunk. What a chunk changed and where it
ended are committed together, and only by the run that has the job: so each chunk is done once, however often workers die and
however often the job is delivered.
"""

from kameng.jobs.errors import (
    JobCancelled,
    JobCannotBeRolledBack,
    JobFileTooLarge,
    JobLost,
    JobMisuseError,
    JobNotOpen,
    JobStoreFull,
)
from kameng.jobs.job import FieldChange, Job, JobFile, JobReport, JobState, Problem, RowChange
from kameng.jobs.jobs import Jobs
from kameng.jobs.run import JobRun

__all__ = [
    "FieldChange",
    "Job",
    "JobCancelled",
    "JobCannotBeRolledBack",
    "JobFile",
    "JobFileTooLarge",
    "JobLost",
    "JobMisuseError",
    "JobNotOpen",
    "JobReport",
    "JobRun",
    "JobState",
    "JobStoreFull",
    "Jobs",
    "Problem",
    "RowChange",
]
