"""Local servers that speak each provider's wire: paths, headers, limits, error bodies, and the rules by which batches fail.

    python -m tests.providers kraken --port 0
    python -m tests.providers binance --port 8001 --fixtures FOLDER

The first line of output is `listening on http://127.0.0.1:PORT`; that address goes into `base_url` of the settings. Prices move with
every answer. `GET /_control` shows what was asked for and what is set, `POST /_control` merges a JSON object into the latter,
`DELETE /_control` forgets all of it:

    {"unknown": ["BTC-USD"]}                                  answered as the provider answers for a symbol that it does not know
    {"rows": {"BTC-USD": {"price": "NaN"}}}                   fields laid over the symbol's own, in the provider's own form
    {"switches": {"market_state": "PRE"}}                     what a provider alone has; its module lists them
    {"limits": false}                                         no rate limit
    {"fault": {"name": "status", "status": 429, "retry_after": "7", "times": 1, "path": "/0/public/Ticker"}}

`GET /_budget` tells the most that ever came in any window, for each limit that the provider documents.

The kinds called `…_stream` also talk over WebSockets, on the same port (`ws://127.0.0.1:PORT`); handshakes take the faults of requests.
`GET /_streams` shows the connections: what was asked for, heard, sent, and how each ended. `POST /_streams` is for all that are open:

    {"say": ["not JSON"], "binary": ["BASE64"], "raw": ["BASE64"]}     messages, or bytes that are no frame
    {"close": 1012, "reason": "restart"}   {"reset": true}            the end, with a word or without

Their switches, besides each one's own:

    "per_s": 1000          updates a second of all symbols in turn; without it each has one
    "quiet": true          no prices; heartbeats and pings go on ("quiet_symbols": ["BTC-USD"]: none of these)
    "mute": true           not a byte, and nothing is read: a connection that is dead without knowing it
    "deaf": true           what the client says is read and not answered
    "lose": 10             each tenth update is counted by the protocol and never sent
    "cut_s": 5             connections are closed at that age ("cut_code": 1001), announced "notice_s" before by who announces it
    "beat_s": 1, "ping_s": 20    how often the protocol's heartbeat comes, and a ping

`tests/providers/faults.py` lists the faults. `python -m tests.providers.proxy --to URL` plays them in front of any server;
`python -m tests.providers.stream_proxy --to URL` cuts, silences, throttles, slices, loses, reorders and repeats what streams say.
A server stands in the file of its name in this folder, or in the test of the feed that asks it (`tests/feeds/test_NAME.py`).
With `--fixtures` recorded answers are served instead of moving prices; how a file's name leads to a path is told in each provider's
module.
"""
