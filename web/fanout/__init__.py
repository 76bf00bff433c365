"""The fan-out engine: every quote encoded once, every client written to once a flush, slow clients an integer each.

`docs/design/fanout.md` explains it. One task acts, `Engine` (engine.py): it alone reads, writes, pings and closes. The others keep count
and decide, and none of them knows it:

- what there is to read, and who reads it: channel, reading_list, spelling, cohort, subscriptions;
- when it is sent, and how: flush_clock, flush, late_flushes, frame_table, frames;
- one client and what it is owed: client, outbox;
- whose turn it is, who comes in, who has to go: receive, handshake_queue, pools, timeouts, drain, close_reasons.

Nothing here knows Flask, python-socketio or the core. `web.app` makes the engine and publishes to it. `web.socketio` lets clients in, hands
them over, is told what they send, and edits their reading lists through `Engine.subscriptions`; for that it uses channels, reading lists,
frames and close reasons as they are. `web.metrics` reads what the engine, its flusher, its ledger and its counters have counted.
"""
