"""The fan-out engine: every quote encoded once, every client written to once a flush, slow clients an integer each.

`docs/design/fanout.md` explains it. The rest of `web/` uses `Engine` (engine.py) and `SocketIOServer` (library.py) only.
"""
