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

`tests/providers/faults.py` lists the faults. `python -m tests.providers.proxy --to URL` plays them in front of any server.
With `--fixtures` recorded answers are served instead of moving prices; how a file's name leads to a path is told in each provider's
module.
"""
