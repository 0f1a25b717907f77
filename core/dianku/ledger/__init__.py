"""The ledger: documents, moves, balances, reservations."""
