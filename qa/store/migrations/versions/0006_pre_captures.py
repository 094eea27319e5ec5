"""How much of each day was recorded, held against an independent list of its calls.

The SQL stands in ``migrations/captures/captures.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0006_pre_captures"
down_revision = "0005_pre_board"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "captures" / "captures.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
