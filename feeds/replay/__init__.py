"""A recording as the source."""
