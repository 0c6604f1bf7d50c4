"""Who burned, when, how much, and in what pattern."""
