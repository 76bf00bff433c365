"""How feeds ask over HTTP: bounded, once, within a deadline, and with a `FeedError` for whatever the wire can do."""
