"""Standing: what closed months came to as each closing knew them.

The SQL stands in ``migrations/standing/standing.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0008_pre_standing"
down_revision = "0007_pre_rings"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "standing" / "standing.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
