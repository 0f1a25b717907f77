"""The public test kit: what Dianku's own tests and those of any plugin are written with.

It comes as a pytest plugin (`dianku.testing.plugin`, found by its entry point): install
`dianku-core[testing]` and ask for the fixtures by name. Nothing here is imported by a running
shop.
"""
