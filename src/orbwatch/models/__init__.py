"""Networks, and how trained ones are kept and run."""
