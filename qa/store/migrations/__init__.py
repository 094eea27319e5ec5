"""The schema's way forward: brings a database to this release's revision. Alembic is imported only when it is behind.

Revisions are raw SQL, named ``NNNN_pre_…`` (before the new code runs) or ``NNNN_post_…`` (after the old code is gone).
Alembic renders them, asyncpg runs them, all in one transaction. There is no way back; a backup is.
"""

from __future__ import annotations

import io
from pathlib import Path

import asyncpg

from qa.store.errors import StoreError, WrongSchema

HEAD = "0009_pre_handover"
_FOLDER = Path(__file__).parent
_LOCK = 0x5EA7_3A7C  # advisory lock: one migrating process at a time
_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seatwatch_app') THEN
    CREATE ROLE seatwatch_app NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_MAY = "SELECT pg_has_role(current_user, 'seatwatch_app', 'SET')"
_GRANT = "GRANT seatwatch_app TO CURRENT_USER WITH SET TRUE, INHERIT FALSE"


async def revision(conn: asyncpg.Connection) -> str | None:
    """The database's revision; None for an empty one."""
    if await conn.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    return found


async def upgrade(conn: asyncpg.Connection, to: str = HEAD) -> bool:
    """Bring the database to a revision; False when it stands there already."""
    if await revision(conn) == to:
        return False
    await _ensure_role(conn)
    async with conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        stands = await revision(conn)
        if stands == to:
            return False
        await conn.execute(render(stands, to))
    return True


def render(start: str | None, to: str = HEAD) -> str:
    """The SQL between two revisions, for us and for a database administrator to read."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    buffer = io.StringIO()
    config = Config(output_buffer=buffer)
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
    if start is not None and start not in known:
        raise WrongSchema(f"database: revision {start} is not known to this release; run the newer one that made it")
    command.upgrade(config, f"{start or 'base'}:{to}", sql=True)
    return buffer.getvalue()


async def _ensure_role(conn: asyncpg.Connection) -> None:
    """The group role without login that every piece of work runs under."""
    try:
        await conn.execute(_ROLE)
        if not await conn.fetchval(_MAY):
            await conn.execute(_GRANT)
    except asyncpg.InsufficientPrivilegeError as error:
        user = await conn.fetchval("SELECT current_user")
        raise StoreError(
            "database: role seatwatch_app is missing and we may not make it; let the administrator run: "
            f"CREATE ROLE seatwatch_app NOLOGIN; GRANT seatwatch_app TO {user}"
        ) from error
