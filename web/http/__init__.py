"""Speaks HTTP/1.1 with clients: takes connections, reads requests strictly (h11, and checks before it), has an application answer."""
