"""Who may do what: users, roles, tokens, sessions, and the trail of what administrators did."""
