"""What rings in a recording before the answer, for the cross-check with signalling.

The SQL stands in ``migrations/rings/rings.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0007_pre_rings"
down_revision = "0006_pre_captures"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "rings" / "rings.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
