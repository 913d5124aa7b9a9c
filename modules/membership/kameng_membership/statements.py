"""Membership's SQL."""

from kameng.db import Statement

MEMBER_SNAPSHOTS = Statement(
    "membership.member_snapshots",
    """
    select m.id, l.code as tier, m.state = 'active' as active
    from membership_member m join membership_level l on l.id = m.level
    where m.id = any($1::uuid[])
    """,
)

FIND_MEMBER = Statement(
    "membership.find_member",
    """
    select m.id, l.code as tier, m.state = 'active' as active, m.password_hash
    from membership_member m join membership_level l on l.id = m.level
    where m.email = $1
    """,
)

ADD_MEMBER = Statement(
    "membership.add_member",
    # No row comes back where somebody has the address, even if he got it this moment.
    """
    insert into membership_member (id, email, password_hash, display_name, level, locale, state)
    select $1, $2, $3, $4, id, $5, 'active' from membership_level where code = $6
    on conflict (email) do nothing
    returning id
    """,
)

READ_MEMBERS = Statement(
    "membership.read_members",
    """
    select m.id, m.email, m.display_name, m.locale, m.state, m.created_at, m.level
    from membership_member m where m.id = any($1::uuid[])
    """,
)

MEMBER_PASSWORD = Statement(
    "membership.member_password", "select email, password_hash from membership_member where id = $1"
)

SET_MEMBER_PASSWORD = Statement(
    "membership.set_member_password",
    # Of two changes at the same moment the second finds another password than it was allowed to replace.
    "update membership_member set password_hash = $3 where id = $1 and password_hash = $2",
)

LOCK_MEMBER = Statement(
    "membership.lock_member",
    """
    select m.state, l.code as tier from membership_member m join membership_level l on l.id = m.level
    where m.id = $1 for no key update of m
    """,
)

SET_MEMBER_LEVEL = Statement(
    "membership.set_member_level", "update membership_member set level = $2 where id = $1"
)

SET_MEMBER_STATE = Statement(
    "membership.set_member_state", "update membership_member set state = $2 where id = $1"
)

READ_LEVELS = Statement(
    "membership.read_levels",
    "select id, code, title_zh, title_en, position from membership_level order by position, code",
)

ADD_LEVELS = Statement(
    "membership.add_levels",
    """
    insert into membership_level (id, code, title_zh, title_en, position)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[])
    on conflict (code) do nothing
    returning code
    """,
)

MEMBER_TIER = Statement(
    "membership.member_tier",
    "select l.code from membership_member m join membership_level l on l.id = m.level where m.id = $1",
)

MEMBER_ACTIVE = Statement(
    "membership.member_active", "select state = 'active' from membership_member where id = $1"
)

STAFF_PERMISSIONS = Statement(
    "membership.staff_permissions",
    """
    select s.state = 'active' as active,
           coalesce(array_agg(p.name) filter (where p.name is not null), '{}') as permissions
    from membership_staff s
    left join membership_staff_role sr on sr.staff = s.id
    left join membership_role r on r.id = sr.role
    left join lateral jsonb_array_elements_text(r.permissions) as p(name) on true
    where s.id = $1
    group by s.id
    """,
)

FIND_STAFF = Statement(
    "membership.find_staff", "select id, state, password_hash from membership_staff where email = $1"
)

READ_STAFF = Statement(
    "membership.read_staff",
    """
    select s.id, s.email, s.name, s.state, s.created_at,
           array(select sr.role from membership_staff_role sr where sr.staff = s.id) as roles
    from membership_staff s where s.id = any($1::uuid[])
    """,
)

STAFF_HOLDING = Statement(
    "membership.staff_holding",
    """
    select s.id, s.email from membership_staff s
    where s.state = 'active' and exists (
        select from membership_staff_role sr join membership_role r on r.id = sr.role
        where sr.staff = s.id and (r.permissions ? $1 or r.permissions ? '*')
    )
    order by s.id
    """,
)
"""The active staff who hold a permission."""

STAFF_EXIST = Statement("membership.staff_exist", "select exists (select from membership_staff)")

ADD_FOUNDER = Statement(
    "membership.add_founder",
    # The index on the founder lets one of several through, who have all seen an empty table.
    """
    with founder as (
        insert into membership_staff (id, email, password_hash, name, state, founder)
        select $1, $2, $3, $4, 'active', true where not exists (select from membership_staff)
        on conflict do nothing
        returning id
    )
    insert into membership_staff_role (id, staff, role)
    select $5, founder.id, r.id from founder, membership_role r where r.name = 'owner'
    returning staff
    """,
)

INVITE_STAFF = Statement(
    "membership.invite_staff",
    # An invitation that nobody has accepted yet may be written anew.
    """
    insert into membership_staff (id, email, name, state) values ($1, $2, $3, 'invited')
    on conflict (email) do update set name = excluded.name where membership_staff.state = 'invited'
    returning id
    """,
)

ACCEPT_INVITATION = Statement(
    "membership.accept_invitation",
    """
    update membership_staff set password_hash = $2, state = 'active' where id = $1 and state = 'invited'
    returning email
    """,
)

STAFF_PASSWORD = Statement(
    "membership.staff_password", "select email, password_hash from membership_staff where id = $1"
)

SET_STAFF_PASSWORD = Statement(
    "membership.set_staff_password",
    "update membership_staff set password_hash = $3 where id = $1 and password_hash = $2",
)

SET_STAFF_STATE = Statement(
    "membership.set_staff_state",
    """
    update membership_staff
    set state = case when $2 then case when password_hash is null then 'invited' else 'active' end else 'disabled' end
    where id = $1
    returning state
    """,
)

LOCK_STAFF = Statement(
    "membership.lock_staff",
    # Changes of staff are rare and look at each other (is there an owner left?), so they go one at a time.
    "select pg_advisory_xact_lock(hashtextextended('kameng.membership.staff', 0))",
)

CLEAR_STAFF_ROLES = Statement(
    "membership.clear_staff_roles", "delete from membership_staff_role where staff = $1"
)

ADD_STAFF_ROLES = Statement(
    "membership.add_staff_roles",
    "insert into membership_staff_role (id, staff, role) select i, $2, r from unnest($1::uuid[], $3::uuid[]) as n(i, r)",
)

COUNT_OWNERS = Statement(
    "membership.count_owners",
    """
    select count(distinct s.id)
    from membership_staff s
    join membership_staff_role sr on sr.staff = s.id
    join membership_role r on r.id = sr.role
    where s.state = 'active' and r.permissions ? '*'
    """,
)

READ_ROLES = Statement(
    "membership.read_roles",
    """
    select id, name, title_zh, title_en,
           array(select jsonb_array_elements_text(permissions)) as permissions
    from membership_role order by name
    """,
)

SAVE_ROLE = Statement(
    "membership.save_role",
    """
    insert into membership_role (id, name, title_zh, title_en, permissions)
    values ($1, $2, $3, $4, $5::jsonb)
    on conflict (name) do update
    set title_zh = excluded.title_zh, title_en = excluded.title_en, permissions = excluded.permissions
    returning id
    """,
)

STAFF_OF_ROLE = Statement(
    "membership.staff_of_role", "select staff from membership_staff_role where role = $1"
)

MEMBERS_CALLED = Statement(
    "membership.members_called",
    # Served by membership_member_email_prefix.
    "select id from membership_member where email like $1 order by email limit $2",
)


def escaped_like(text: str) -> str:
    """A text as a part of a pattern of LIKE that stands for itself."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
