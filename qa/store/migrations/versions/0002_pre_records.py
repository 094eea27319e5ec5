"""Records from outside the phones with their versions, who delivered them, and the registers that are connected.

The SQL stands in ``migrations/records/records.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0002_pre_records"
down_revision = "0001_pre_start"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "records" / "records.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
