"""Packs, facts and the scorer: a regulation as data, applied clause by clause. No sockets, no clock, no database."""
