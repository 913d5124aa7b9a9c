"""SQL of sessions and tokens. Times are the database's, so that the clocks of web machines need not agree.

Every look-up names what makes a token dead (revoked, idle, expired) in the statement that finds it, so that
no caller can forget one. ``last_seen_at`` and ``last_used_at`` move at most once a minute, since a write for
each request would cost more than the request.
"""

from kameng.db import Statement

_IDLE = "make_interval(mins => case principal_kind when 'staff' then $3::int else $2::int end)"
_SESSION = (
    "id, principal_kind, principal_id, created_at, last_seen_at, expires_at, user_agent, address, step_up_at"
)

SESSION_OPEN = Statement(
    "auth.open_session",
    """
    insert into kernel_session
        (id, token_hash, principal_kind, principal_id, created_at, last_seen_at, expires_at, user_agent,
        address, step_up_at)
    values ($1, $2, $3, $4, now(), now(), now() + make_interval(hours => $5), $6, $7, case when $8 then now()
    end) returning expires_at
    """,
)

SESSION_FIND = Statement(
    "auth.find_session",
    f"""
    select id, principal_kind, principal_id, step_up_at,
           last_seen_at < now() - interval '1 minute' as stale,
           extract(epoch from least(expires_at, last_seen_at + {_IDLE}) - now())::float8 as seconds
    from kernel_session
    where token_hash = $1 and revoked_at is null and expires_at > now() and last_seen_at > now() - {_IDLE}
    """,
)

SESSION_SEEN = Statement(
    "auth.see_session",
    """
    update kernel_session set last_seen_at = now()
    where id = $1 and last_seen_at < now() - interval '1 minute' and revoked_at is null
    """,
)

SESSION_ROTATE = Statement(
    "auth.rotate_session",
    f"""
    with ended as (
        update kernel_session set revoked_at = now(), rotated_to = $4
        where id = $1 and revoked_at is null and expires_at > now() and last_seen_at > now() - {_IDLE}
        returning principal_kind, principal_id, expires_at, user_agent, address, step_up_at
    )
    insert into kernel_session
        (id, token_hash, principal_kind, principal_id, created_at, last_seen_at, expires_at, user_agent,
        address, step_up_at)
    select $4, $5, principal_kind, principal_id, now(), now(), expires_at, user_agent, address,
           case when $6 then now() else step_up_at end
    from ended
    returning principal_kind, principal_id, expires_at
    """,
)

SESSION_REVOKE = Statement(
    "auth.revoke_session",
    """
    update kernel_session set revoked_at = now()
    where id = $1 and revoked_at is null
      and ($2::text is null or (principal_kind = $2 and principal_id = $3))
    returning principal_kind, principal_id
    """,
)

SESSION_REVOKE_ALL = Statement(
    "auth.revoke_all_sessions",
    """
    update kernel_session set revoked_at = now()
    where principal_kind = $1 and principal_id = $2 and revoked_at is null and id is distinct from $3
    """,
)

SESSION_LIST = Statement(
    "auth.list_sessions",
    f"""
    select {_SESSION}
    from kernel_session
    where principal_kind = $1 and principal_id = $4 and revoked_at is null and expires_at > now()
      and last_seen_at > now() - {_IDLE}
    order by created_at desc
    limit 100
    """,
)

API_TOKEN_ISSUE = Statement(
    "auth.issue_api_token",
    """
    insert into kernel_api_token
        (id, token_hash, prefix, principal_kind, principal_id, name, scopes, allowed_networks, created_at,
        expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, now(), now() + $9::interval)
    """,
)

API_TOKEN_FIND = Statement(
    "auth.find_api_token",
    """
    select id, principal_kind, principal_id, scopes, allowed_networks,
           (last_used_at is null or last_used_at < now() - interval '1 minute') as stale,
           coalesce(extract(epoch from expires_at - now()), 86400)::float8 as seconds
    from kernel_api_token
    where token_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
    """,
)

API_TOKEN_USED = Statement(
    "auth.use_api_token",
    """
    update kernel_api_token set last_used_at = now()
    where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
    """,
)

API_TOKEN_REVOKE = Statement(
    "auth.revoke_api_token",
    """
    update kernel_api_token set revoked_at = now()
    where id = $1 and revoked_at is null
      and ($2::text is null or (principal_kind = $2 and principal_id = $3))
    returning principal_kind, principal_id
    """,
)

API_TOKEN_REVOKE_ALL = Statement(
    "auth.revoke_all_api_tokens",
    """
    update kernel_api_token set revoked_at = now()
    where principal_kind = $1 and principal_id = $2 and revoked_at is null
    """,
)

API_TOKEN_LIST = Statement(
    "auth.list_api_tokens",
    """
    select id, prefix, name, scopes, allowed_networks, created_at, expires_at, last_used_at, revoked_at
    from kernel_api_token
    where principal_kind = $1 and principal_id = $2
    order by created_at desc
    limit 100
    """,
)

ONE_TIME_ISSUE = Statement(
    "auth.issue_one_time_token",
    """
    insert into kernel_one_time_token (id, purpose, token_hash, subject, created_at, expires_at)
    values ($1, $2, $3, $4::jsonb, now(), now() + $5::interval)
    """,
)

ONE_TIME_REDEEM = Statement(
    "auth.redeem_one_time_token",
    """
    update kernel_one_time_token set used_at = now()
    where token_hash = $1 and purpose = $2 and used_at is null and expires_at > now()
    returning subject::text
    """,
)

ONE_TIME_PEEK = Statement(
    "auth.peek_one_time_token",
    """
    select subject::text from kernel_one_time_token
    where token_hash = $1 and purpose = $2 and used_at is null and expires_at > now()
    """,
)

ONE_TIME_WITHDRAW = Statement(
    "auth.withdraw_one_time_tokens",
    """
    update kernel_one_time_token set used_at = now()
    where purpose = $1 and subject = $2::jsonb and used_at is null
    """,
)

PURGE = tuple(
    Statement(
        f"auth.purge_{table}",
        f"""
        delete from {table} where id in (
            select id from {table} where expires_at < now() - $1::interval order by expires_at limit $2
        )
        """,
    )
    for table in ("kernel_session", "kernel_one_time_token")
)
"""What has been over for a while, a bounded number at a time."""
