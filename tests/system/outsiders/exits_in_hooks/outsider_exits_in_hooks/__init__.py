"""Its hooks end the process that calls them."""
