"""Windows of tracks: simulated, stored, cut, augmented, and turned into what a network is given."""
