"""The routes of the HTTP part: quotes, symbols, status, settings, and the page."""
