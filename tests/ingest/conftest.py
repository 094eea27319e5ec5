"""Settings of this folder's property tests (a busy machine is no failing test, so examples have no deadline), and the
fixture for failing syncs."""

from __future__ import annotations

from hypothesis import settings

from tests.ingest.shim import shim

__all__ = ["shim"]

settings.register_profile("seatwatch", deadline=None)
settings.load_profile("seatwatch")
