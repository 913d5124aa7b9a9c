"""Membership: members and their levels, staff and their roles."""

import strawberry

from kameng.auth import PrincipalDirectory, StaffNames
from kameng.auth.first_administrator import FirstAdministrator
from kameng.module import Module, Permission, Provide, SchemaPart
from kameng.notify import StaffAddresses
from kameng_catalog.contract import PriceTiers
from kameng_membership.admin_entry import EntryMutation, EntryQuery
from kameng_membership.admin_members import MembersMutation, MembersQuery
from kameng_membership.admin_staff import StaffMutation, StaffQuery
from kameng_membership.admin_types import (
    MANAGE_MEMBERS,
    MANAGE_STAFF,
    READ_MEMBERS,
    managed_member_nodes,
    role_nodes,
    staff_nodes,
)
from kameng_membership.articles.admin import (
    MANAGE_ARTICLES,
    ArticlesAdminMutation,
    ArticlesAdminQuery,
    managed_article_nodes,
)
from kameng_membership.articles.shop import ArticlesQuery, article_nodes
from kameng_membership.commands import staff
from kameng_membership.contract import Members
from kameng_membership.directory import Directory
from kameng_membership.events import MemberBlocked, MemberErased, MemberRegistered
from kameng_membership.first_administrator import FirstAdministratorLinks
from kameng_membership.levels import seed_levels
from kameng_membership.logins.graphql import LoggedInMember, LogInsMutation, LogInsQuery, log_in_nodes
from kameng_membership.members import MemberDirectory
from kameng_membership.notes.graphql import NotedMember, NotesMutation, note_nodes
from kameng_membership.own_sessions import SessionsMutation, SessionsQuery, session_nodes
from kameng_membership.privacy.admin import (
    ERASE_MEMBERS,
    PrivacyAdminMutation,
    PrivacyAdminQuery,
    managed_erasure_nodes,
)
from kameng_membership.privacy.exporting import END_EXPORTS_TASK, MAKE_EXPORT
from kameng_membership.privacy.routes import fetch_data_export
from kameng_membership.privacy.shop import PrivacyMutation, PrivacyQuery, erasure_nodes, export_nodes
from kameng_membership.recipients.graphql import RecipientsMutation, RecipientsQuery, recipient_nodes
from kameng_membership.resetting import MAIL_RESET, RESET
from kameng_membership.settings import MembershipSettings
from kameng_membership.shop import MembershipMutation, MembershipQuery, member_nodes
from kameng_membership.staff_addresses import StaffMail
from kameng_membership.staff_names import StaffDirectory
from kameng_membership.tiers import open_tiers


@strawberry.type
class MembershipShopQuery(MembershipQuery, SessionsQuery, RecipientsQuery, ArticlesQuery, PrivacyQuery):
    """Queries of the shop."""


@strawberry.type
class MembershipShopMutation(MembershipMutation, SessionsMutation, RecipientsMutation, PrivacyMutation):
    """Mutations of the shop."""


@strawberry.type
class MembershipAdminQuery(
    EntryQuery, MembersQuery, StaffQuery, ArticlesAdminQuery, PrivacyAdminQuery, LogInsQuery
):
    """Queries of the back office."""


@strawberry.type
class MembershipAdminMutation(
    EntryMutation,
    MembersMutation,
    StaffMutation,
    ArticlesAdminMutation,
    PrivacyAdminMutation,
    LogInsMutation,
    NotesMutation,
):
    """Mutations of the back office."""


@strawberry.type
class OfficeMember(LoggedInMember, NotedMember):
    """What the back office sees of a member beside what he is."""


module = Module(
    name="membership",
    version="0.1.0",
    requires={"catalog": ">=0.1,<0.2"},
    settings=MembershipSettings,
    piccolo_app="kameng_membership.piccolo_app",
    shop=SchemaPart(
        query=MembershipShopQuery,
        mutation=MembershipShopMutation,
        nodes={
            "Member": member_nodes,
            "Session": session_nodes,
            "Recipient": recipient_nodes,
            "Article": article_nodes,
            "DataExport": export_nodes,
            "ErasureRequest": erasure_nodes,
        },
    ),
    admin=SchemaPart(
        query=MembershipAdminQuery,
        mutation=MembershipAdminMutation,
        extend={"Member": OfficeMember},
        nodes={
            "Member": managed_member_nodes,
            "StaffMember": staff_nodes,
            "Role": role_nodes,
            "Article": managed_article_nodes,
            "ErasureRequest": managed_erasure_nodes,
            "StaffLogIn": log_in_nodes,
            "MemberNote": note_nodes,
        },
    ),
    provides=(
        Provide(Members, lambda kernel: MemberDirectory(kernel.db)),
        Provide(PrincipalDirectory, lambda kernel: Directory(kernel.db)),
        Provide(FirstAdministrator, FirstAdministratorLinks),
        Provide(PriceTiers, open_tiers),
        Provide(StaffAddresses, lambda kernel: StaffMail(kernel.db)),
        Provide(StaffNames, lambda kernel: StaffDirectory(kernel.db)),
    ),
    events=(MemberRegistered, MemberBlocked, MemberErased),
    permissions=(
        Permission(READ_MEMBERS, "See members", "查看会员"),
        Permission(MANAGE_MEMBERS, "Change members' levels, block members", "调整会员等级、封禁会员"),
        Permission(ERASE_MEMBERS, "Decide requests to erase members' data", "处理会员数据删除申请"),
        Permission(MANAGE_ARTICLES, "Write announcements and help pages", "编写公告和帮助页面"),
        Permission(MANAGE_STAFF, "Manage staff and roles", "管理员工和角色"),
    ),
    tasks=(MAIL_RESET, MAKE_EXPORT, END_EXPORTS_TASK),
    notifications=(RESET,),
    routes=(fetch_data_export,),
    commands=(staff,),
    seed=seed_levels,
)
