"""Sound: it listens to every sale."""
