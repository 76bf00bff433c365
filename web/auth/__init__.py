"""Who a client is, what it may see, and how often it may be wrong. Imports nothing else of `web`.

`credentials` finds the token in what a client sends, `authenticator` asks a verifier what it allows: one of listed tokens (`tokens`) or of
signed ones (`jwt`). The answer is an `identity`; `patterns` and `visible` say which symbols it may see. `throttle` counts wrong tokens by
address, and `addresses` says what counts as one.
"""
