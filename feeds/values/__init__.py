"""From a provider's words to prices, sizes, times and symbols. Pure: imports nothing else of feeds."""
