"""HTTPS on the shop's own network: an authority of the shop, and the certificates it signs."""
