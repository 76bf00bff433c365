"""One file a provider. Imports `ticker`, never `web`."""
