"""`/metrics`: what the relay counts about itself, in Prometheus' format. Read when asked for; nothing here runs between two scrapes."""
