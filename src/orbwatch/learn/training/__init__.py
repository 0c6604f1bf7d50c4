"""Training of networks, with torch and Lightning."""
