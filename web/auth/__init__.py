"""Who a client is, what it may see, and how often it may be wrong. Imports nothing else of `web`."""
