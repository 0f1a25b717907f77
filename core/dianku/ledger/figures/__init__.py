"""Totals of a period: sales, flows, and what the stock is worth."""
