"""Several machines on one database: homes of spool files, when they were handed over, what calls were assembled from.

The SQL stands in ``migrations/handover/handover.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0009_pre_handover"
down_revision = "0008_pre_standing"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "handover" / "handover.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
