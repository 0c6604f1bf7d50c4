"""Close approaches: screening, time of closest approach, probability of collision."""
