"""Models against physics on objects that they never saw: errors, tests, regions, and what ships."""
