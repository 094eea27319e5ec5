"""Parts of a conversation, orphans, fixed seats of agents, and checkpoints of seat histories.

The SQL stands in ``migrations/parts/parts.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0004_pre_parts"
down_revision = "0003_pre_months"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "parts" / "parts.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
