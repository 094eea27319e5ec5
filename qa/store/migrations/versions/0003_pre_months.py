"""The month: moves of the pointer to what counts, closings, decisions about recommendations, adjustments by hand.

The SQL stands in ``migrations/months/months.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0003_pre_months"
down_revision = "0002_pre_records"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "months" / "months.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
