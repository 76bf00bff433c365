"""Yahoo Finance, unofficial: polled and streamed."""
