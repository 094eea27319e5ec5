"""Everything the first release stores: sites, people, calls, packs, the ledger and their walls.

The SQL stands in ``migrations/start/``, one file per subject, in this order.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0001_pre_start"
down_revision = None

FILES = ("sites.sql", "events.sql", "calls.sql", "seats.sql", "packs.sql", "ledger.sql", "access.sql", "walls.sql")


def upgrade() -> None:
    for name in FILES:
        statement = (Path(__file__).parents[1] / "start" / name).read_text(encoding="utf-8")
        op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
