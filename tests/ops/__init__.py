"""The proxies of docs/operations, run for real: `python -m tests.ops`, and one end-to-end test."""
