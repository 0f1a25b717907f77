"""Settings: what a shop chooses, by section; the kernel's sections and one for each plugin."""
