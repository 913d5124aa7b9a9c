"""What may go wrong with jobs."""

from __future__ import annotations

from kameng.errors import Conflict, InvalidInput, KamengError, Refusal


class JobMisuseError(KamengError):
    """A job was started or declared in a way that cannot work."""

    code = "JOB_MISUSED"


class JobCancelled(KamengError):
    """Somebody cancelled the job; what it committed before stays."""

    code = "JOB_CANCELLED"


class JobLost(KamengError):
    """Another worker has the job by now, so this run commits nothing more."""

    code = "JOB_LOST"


class JobStoreFull(Refusal):
    """There is no room for the job's file."""

    code = "JOB_STORE_FULL"


class JobFileTooLarge(InvalidInput):
    """A file is larger than jobs may keep."""

    code = "JOB_FILE_TOO_LARGE"


class JobNotOpen(Conflict):
    """The job has ended, so it cannot be cancelled."""

    code = "JOB_NOT_OPEN"


class JobCannotBeConfirmed(Conflict):
    """There is no dry run that could be done in earnest: it is none, has not come to its end, or was confirmed."""

    code = "JOB_CANNOT_BE_CONFIRMED"


class JobCannotBeRolledBack(Conflict):
    """The job has nothing that could be undone, or is not in a state in which it can be."""

    code = "JOB_CANNOT_BE_ROLLED_BACK"
