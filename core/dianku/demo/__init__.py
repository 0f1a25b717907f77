"""The demonstration shop: invented goods and months of trading from one seed.

`goods` says what the shop carries, `trade` makes its documents without touching any database,
`fill` posts them through the ledger like any other caller.
"""
