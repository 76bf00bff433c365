"""Another tickercast as the source."""
