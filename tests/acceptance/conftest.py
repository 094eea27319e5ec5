"""What the acceptance tests share: the store's cluster, and the figures that a run may be quoted with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import cluster, dsn, template

__all__ = ["cluster", "dsn", "figures", "template"]


@pytest.fixture(scope="session")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Rows of the table of kills; at the end they lie in the run's temporary folder as ``kills.txt``."""
    rows: list[str] = []
    yield rows
    if rows:
        (tmp_path_factory.getbasetemp() / "kills.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
