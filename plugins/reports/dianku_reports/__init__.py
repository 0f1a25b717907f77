"""Reports for Dianku: the live monitor, sellers, write-offs, the stock card, document search."""
