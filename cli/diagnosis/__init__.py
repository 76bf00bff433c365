"""What `doctor` does for one feed: asks it for a symbol, shows what comes, and says what helps."""
