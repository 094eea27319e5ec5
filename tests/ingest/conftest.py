"""Settings of this folder's property tests. A busy machine is no failing test, so examples have no deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("seatwatch", deadline=None)
settings.load_profile("seatwatch")
