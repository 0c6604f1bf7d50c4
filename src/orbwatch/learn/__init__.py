"""Learning: what is learned from (samples), how (training), and what it is worth (judging)."""
