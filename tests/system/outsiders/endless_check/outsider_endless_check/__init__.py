"""Its check never returns."""
