"""`/metrics`: what the server counts about itself, in Prometheus' format. Read when asked for; nothing here runs between two scrapes.

`scrape` is the page; what stands on it is collected from feeds and symbols (`prices`), from the fan-out (`clients`) and from the process
(`process`), in the words of `families`.
"""
