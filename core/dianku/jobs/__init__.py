"""Work by the clock, done by one process of the shop."""
