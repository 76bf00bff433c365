"""When markets are open: their hours, loaded in a process of their own, and what they say of a price."""
