"""Speaks HTTP/1.1 with clients: takes connections, reads requests strictly (h11, and checks before it), has an application answer.

A connection: `listener` takes it, `connection` reads and writes its bytes, `server` answers one request after the other.
A request: `proxy_protocol`, `head` and `body` read it, `request` makes of it what WSGI knows, `wsgi` calls an application.
Before the application: `entrance` asks `proxies` whom it comes from, `hosts` whom it names, `rates` how often, `guard` whether it may read,
and `cache` whether its answer stands ready (`answer`). `origins` says which pages may ask, `handshake` how a WebSocket begins.
"""
