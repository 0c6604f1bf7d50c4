"""Where the error bars come from."""
