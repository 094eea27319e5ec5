"""The board: indices by which what holds now is found without reading the history.

The SQL stands in ``migrations/board/board.sql``.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0005_pre_board"
down_revision = "0004_pre_parts"


def upgrade() -> None:
    statement = (Path(__file__).parents[1] / "board" / "board.sql").read_text(encoding="utf-8")
    op.execute(text(statement.replace(":", r"\:")))  # text() would read :name as a parameter
