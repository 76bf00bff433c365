"""What strangers do to a relay that is reached by anybody, and a witness of what others notice of it."""
