"""Any endpoint that answers JSON or CSV, described in settings alone."""
