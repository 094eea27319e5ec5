"""What-if: what a change of a pack, an overlay or the phrase lists would do to all that was scored. Writes no score."""
