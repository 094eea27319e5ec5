"""The sockets, the clock and the threads around the pure parts of ingest. No decoding rules of its own."""
