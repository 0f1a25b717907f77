"""THE surface for plugins: all that a plugin may import, but for `dianku.testing`.

What stands in `__all__` is kept through every version of one major number; a test holds names
and signatures against a snapshot. Tables, engines and the services' modules are not part of it.
"""

from __future__ import annotations

from dianku.clock import Clock
from dianku.context import Actor, Context
from dianku.errors import (
    DiankuError,
    FieldError,
    NumberRefused,
    Problem,
    Refused,
    invalid,
    refuse,
)
from dianku.hooks.records import (
    CheckedDocument,
    CheckedLine,
    Command,
    Daily,
    DemoData,
    DoctorCheck,
    Event,
    Every,
    ExportKind,
    Finding,
    Job,
    Objection,
    Page,
    Title,
)
from dianku.hooks.specs import hookimpl
from dianku.http.route import Call, Content, Replied, Route, Upload
from dianku.plugins.shop import Shop
from dianku.quantity import (
    format_amount,
    format_cost,
    format_quantity,
    parse_amount,
    parse_cost,
    parse_quantity,
)
from dianku.wire import UNSET, Answer, Code, Day, Name, Note, Number, Numeral, Request, When

__all__ = [
    "UNSET",
    "Actor",
    "Answer",
    "Call",
    "CheckedDocument",
    "CheckedLine",
    "Clock",
    "Code",
    "Command",
    "Content",
    "Context",
    "Daily",
    "Day",
    "DemoData",
    "DiankuError",
    "DoctorCheck",
    "Event",
    "Every",
    "ExportKind",
    "FieldError",
    "Finding",
    "Job",
    "Name",
    "Note",
    "Number",
    "NumberRefused",
    "Numeral",
    "Objection",
    "Page",
    "Problem",
    "Refused",
    "Replied",
    "Request",
    "Route",
    "Shop",
    "Title",
    "Upload",
    "When",
    "format_amount",
    "format_cost",
    "format_quantity",
    "hookimpl",
    "invalid",
    "parse_amount",
    "parse_cost",
    "parse_quantity",
    "refuse",
]
