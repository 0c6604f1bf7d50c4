"""Learning: windows of tracks, their features, training and evaluation."""
