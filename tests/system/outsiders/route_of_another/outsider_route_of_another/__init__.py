"""It claims the route of another plugin."""
