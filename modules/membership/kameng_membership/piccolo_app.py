"""The Piccolo app of members and staff."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from kameng_membership.articles.tables import Article
from kameng_membership.notes.tables import MemberNote
from kameng_membership.privacy.tables import DataExport, ErasureRequest
from kameng_membership.recipients.tables import Recipient
from kameng_membership.tables import Level, Member, Role, StaffMember, StaffRole

APP_CONFIG = AppConfig(
    app_name="membership",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=[
        Level,
        Member,
        StaffMember,
        Role,
        StaffRole,
        Article,
        Recipient,
        DataExport,
        ErasureRequest,
        MemberNote,
    ],
    migration_dependencies=[],
)
