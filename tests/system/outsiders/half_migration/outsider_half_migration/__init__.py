"""Its revision fails after it has made a table."""
