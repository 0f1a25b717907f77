"""Its revision makes a table that does not bear its name."""
