"""The SQL of copies of a member's data, and of requests to erase it."""

from kameng.db import Statement

_EXPORT = "id, member, state, requested_at, ready_at, expires_at, size"

ADD_EXPORT = Statement(
    "membership.add_data_export",
    # While one is being made there is no other.
    f"""
    insert into membership_data_export (id, member, state, requested_at) values ($1, $2, 'WAITING', now())
    on conflict (member) where state = 'WAITING' do nothing
    returning {_EXPORT}
    """,
)

EXPORTS_OF = Statement(
    "membership.data_exports_of",
    f"select {_EXPORT} from membership_data_export where member = $1 order by id desc limit 10",
)

WAITING_EXPORT = Statement(
    "membership.waiting_data_export",
    "select member from membership_data_export where id = $1 and state = 'WAITING'",
)

FINISH_EXPORT = Statement(
    "membership.finish_data_export",
    """
    update membership_data_export
    set state = 'READY', ready_at = now(), expires_at = now() + $2::interval, size = $3, data_key = $4, sealed = $5
    where id = $1 and state = 'WAITING' returning id
    """,
)

READY_EXPORT = Statement(
    "membership.ready_data_export",
    """
    select data_key, sealed from membership_data_export
    where id = $1 and member = $2 and state = 'READY' and expires_at > now()
    """,
)

END_EXPORTS = Statement(
    "membership.end_data_exports",
    """
    update membership_data_export set state = 'OVER', sealed = null
    where id in (
        select id from membership_data_export where state = 'READY' and expires_at <= now()
        order by expires_at limit $1 for update skip locked
    )
    returning id
    """,
)

END_EXPORTS_OF = Statement(
    "membership.end_data_exports_of",
    """
    update membership_data_export set state = 'OVER', sealed = null
    where member = $1 and state in ('READY', 'WAITING') returning id
    """,
)

FAIL_STALE_EXPORTS = Statement(
    "membership.fail_stale_data_exports",
    # Its task has given up long before: the member may ask again.
    """
    update membership_data_export set state = 'FAILED'
    where state = 'WAITING' and requested_at < now() - interval '1 day'
    """,
)

_REQUEST = "id, member, state, requested_at, decided_at, answer"

ADD_ERASURE = Statement(
    "membership.add_erasure_request",
    """
    insert into membership_erasure_request (id, member, state, requested_at) values ($1, $2, 'OPEN', now())
    on conflict (member) where state = 'OPEN' do nothing
    """,
)

LATEST_ERASURE = Statement(
    "membership.latest_erasure_request",
    f"select {_REQUEST} from membership_erasure_request where member = $1 order by id desc limit 1",
)

LOCK_ERASURE = Statement(
    "membership.lock_erasure_request",
    f"select {_REQUEST} from membership_erasure_request where id = $1 for update",
)

ERASURES_BY_ID = Statement(
    "membership.erasure_requests_by_id",
    f"select {_REQUEST} from membership_erasure_request where id = any($1::uuid[])",
)

DECIDE_ERASURE = Statement(
    "membership.decide_erasure_request",
    "update membership_erasure_request set state = $2, answer = $3, decided_at = now() where id = $1 and state = 'OPEN'",
)

ERASE_MEMBER = Statement(
    "membership.erase_member",
    # The row stays, since orders and postings point to it; nothing in it tells whose it was.
    """
    update membership_member
    set email = 'erased-' || id || '@erased.invalid', password_hash = 'erased', display_name = '', state = 'erased'
    where id = $1
    """,
)

PROFILE = Statement(
    "membership.profile",
    """
    select m.email, m.display_name, m.locale, m.state, m.created_at, l.code as level
    from membership_member m join membership_level l on l.id = m.level where m.id = $1
    """,
)
