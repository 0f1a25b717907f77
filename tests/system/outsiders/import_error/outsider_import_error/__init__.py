"""Its code asks for a module that nobody has."""
