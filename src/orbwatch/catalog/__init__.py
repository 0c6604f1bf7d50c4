"""The catalogue floor: readers and writers of every exchange format, history, sources, metadata and the store."""
