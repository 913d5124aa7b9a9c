"""The audit log's part of the back office: reading it, a file of it, and a check of the whole chain as a job."""

from kameng.audit.office.graphql import AuditMutation, AuditQuery, entry_nodes
from kameng.audit.office.jobs import EXPORT_JOB, VERIFY_JOB
from kameng.audit.office.permissions import READ_AUDIT
from kameng.module import Module, SchemaPart
from kameng.version import VERSION

module = Module(
    name="audit",
    version=VERSION,
    admin=SchemaPart(query=AuditQuery, mutation=AuditMutation, nodes={"AuditEntry": entry_nodes}),
    jobs=(EXPORT_JOB, VERIFY_JOB),
    permissions=(READ_AUDIT,),
)
