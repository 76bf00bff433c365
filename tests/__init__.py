"""The tests, mirroring the tree: everything but `e2e` runs patched (`-p tests.green`), `e2e` runs unpatched against real servers."""
