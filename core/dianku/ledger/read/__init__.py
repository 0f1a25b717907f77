"""What is read of the ledger: stock, cards, documents, reservations, of now and of the past."""
