"""Another distribution brings a plugin of this name."""
