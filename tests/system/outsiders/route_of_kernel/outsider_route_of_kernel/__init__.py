"""It claims routes of the kernel."""
