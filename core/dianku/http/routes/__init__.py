"""The kernel's routes, one module for each thing they are about."""

from __future__ import annotations

from dianku.http.route import Route
from dianku.http.routes import (
    access,
    administration,
    attachments,
    catalog,
    closings,
    devices,
    documents,
    events,
    exchange,
    installation,
    practice,
    quick_keys,
    reservations,
    stock,
    trust,
)

KERNEL_ROUTES: tuple[Route, ...] = (
    *catalog.ROUTES,
    *documents.ROUTES,
    *quick_keys.ROUTES,
    *closings.ROUTES,
    *stock.ROUTES,
    *reservations.ROUTES,
    *exchange.ROUTES,
    *attachments.ROUTES,
    *events.ROUTES,
    *administration.ROUTES,
    *installation.ROUTES,
    *access.ROUTES,
    *devices.ROUTES,
    *practice.ROUTES,
    *trust.ROUTES,
)
"""Everything the kernel answers below `/api/v1`."""
