"""What is derived must be what the moves say: verify finds differences, rebuild mends them."""
