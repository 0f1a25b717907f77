"""The environment a shop runs in: its pip, its plugins, installed versions side by side."""
