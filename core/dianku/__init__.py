"""Dianku (店库): the inventory kernel that keeps a shop's books and shelves the same.

Importing this package is cheap and pulls in neither SQLAlchemy nor Starlette; plugins import
`dianku.api`, programs build a `dianku.host.Host`.
"""

__version__ = "0.1.0"
