"""What the other ingest processes of this machine know: they share the ports, and each has a spool of its own.

A client that comes back may meet another process than before. Reads their files only; writes nothing.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path

from ingest import spool
from ingest.errors import SpoolGone
from ingest.rows import Admit
from ingest.shell.core import LOG


class Siblings:
    """The spool folders beside *own* under *root*; no root: this process is alone and everything here is None."""

    def __init__(self, root: Path | None, own: Path) -> None:
        self._root, self._own = root, own

    @property
    def any(self) -> bool:
        """Whether the ports are shared."""
        return self._root is not None

    async def leg(self, call: str, leg: str) -> spool.LegTrace | None:
        """How far a leg has come elsewhere."""
        return None if self._root is None else await asyncio.to_thread(self._leg, call, leg)

    async def admitted(self, ident: str) -> Admit | None:
        """A UUID or token that was registered or used elsewhere."""
        return None if self._root is None else await asyncio.to_thread(self._admitted, ident)

    def _leg(self, call: str, leg: str) -> spool.LegTrace | None:
        try:
            return spool.trace(self._paths(), call, leg)
        except SpoolGone as error:  # a file went while it was looked at: its leg is over
            LOG.info("siblings: %s", error)
            return self._leg(call, leg)

    def _admitted(self, ident: str) -> Admit | None:
        folders = groupby(self._paths(), key=lambda path: path.parent)
        newest = [path for _, paths in folders for path in list(paths)[-2:]]  # the last one may be a prepared one
        try:
            return spool.admitted(newest, ident)
        except SpoolGone as error:
            LOG.info("siblings: %s", error)
            return self._admitted(ident)

    def _paths(self) -> list[Path]:
        assert self._root is not None
        return [path for path in spool.all_files(self._root) if path.parent != self._own]
