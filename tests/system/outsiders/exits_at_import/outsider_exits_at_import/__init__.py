"""Its code ends the process that imports it."""
