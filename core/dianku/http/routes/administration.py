"""The running installation: its edition, plugins, settings and pages."""

from __future__ import annotations

from typing import Any

from dianku import __version__
from dianku.http.admission import may
from dianku.http.route import SIGNED_IN, Call, Route
from dianku.http.routes.answers import Page
from dianku.settings.schema import Field
from dianku.wire import Answer


class EditionRecord(Answer):
    """The edition the shop runs as."""

    name: str
    title: str
    version: str
    required: list[str]
    optional: list[str]


class FaultRecord(Answer):
    """What went wrong with a plugin, and what to do."""

    where: str
    what: str
    remedy: str


class PluginRecord(Answer):
    """A plugin and how it stands."""

    name: str
    title: str
    version: str
    status: str
    required: bool
    faults: list[FaultRecord]


class PageRecord(Answer):
    """A page the caller may open: its address at the root, its title, whose it is."""

    path: str
    title: str
    plugin: str


def get_edition(call: Call) -> EditionRecord:
    """Show the edition."""
    edition = call.host.plugins.edition
    return EditionRecord(
        name=edition.name,
        title=edition.title.in_language(call.ctx.language),
        version=__version__,
        required=sorted(edition.required),
        optional=sorted(edition.optional),
    )


def list_plugins(call: Call) -> Page[PluginRecord]:
    """List plugins and how each stands."""
    records = []
    for state in call.host.plugins.states:
        manifest = state.manifest
        title = state.name if manifest is None else _title(manifest, call.ctx.language)
        records.append(
            PluginRecord(
                name=state.name,
                title=title,
                version=state.version,
                status=state.status.value,
                required=state.required,
                faults=[
                    FaultRecord(where=f.where, what=f.what, remedy=f.remedy) for f in state.faults
                ],
            )
        )
    return Page(items=records)


class FieldRecord(Answer):
    """A setting. `secret`: it goes in and never comes out.

    `type` is text, integer, decimal, boolean, choice, texts, timezone or networks.
    """

    name: str
    type: str
    title: str
    description: str | None
    default: Any
    minimum: int | None
    maximum: int | None
    choices: list[str]
    secret: bool


class SectionRecord(Answer):
    """A section of the settings, with what can be set in it."""

    name: str
    title: str
    fields: list[FieldRecord]


def list_settings(call: Call) -> Page[SectionRecord]:
    """List what can be set; the values are those of each section."""
    language = call.ctx.language
    return Page(
        items=[
            SectionRecord(
                name=section.name,
                title=section.title.in_language(language),
                fields=[_field(one, language) for one in section.fields.values()],
            )
            for section in call.host.settings.sections.values()
        ]
    )


def _field(one: Field, language: str) -> FieldRecord:
    return FieldRecord(
        name=one.name,
        type=one.type,
        title=one.title.in_language(language),
        description=None if one.description is None else one.description.in_language(language),
        default=None if one.secret else one.default,
        minimum=one.minimum,
        maximum=one.maximum,
        choices=list(one.choices),
        secret=one.secret,
    )


def get_settings(call: Call) -> dict[str, Any]:
    """Show a section of the settings; secrets are masked."""
    return call.host.settings.get_section(call.path["section"], ctx=call.ctx)


def patch_settings(call: Call) -> dict[str, Any]:
    """Change settings; at once, in every process."""
    return call.host.settings.patch_section(call.path["section"], call.body, ctx=call.ctx)


def list_pages(call: Call) -> Page[PageRecord]:
    """List the pages the caller may open."""
    pages = [
        PageRecord(
            path=one.record.path,
            title=one.record.title.in_language(call.ctx.language),
            plugin=one.plugin,
        )
        for one in call.host.plugins.shown("register_pages")
        if may(call.ctx, one.record.permission) and "{" not in one.record.path
    ]
    return Page(items=pages)


def _title(manifest: Any, language: str) -> str:
    title: str = manifest.title.title().in_language(language)
    return title


ROUTES = (
    Route(
        "GET",
        "/settings",
        list_settings,
        "settings.view",
        "What can be set",
        answer=Page[SectionRecord],
    ),
    Route("GET", "/edition", get_edition, "plugin.view", "The edition", answer=EditionRecord),
    Route("GET", "/plugins", list_plugins, "plugin.view", "Plugins", answer=Page[PluginRecord]),
    Route(
        "GET",
        "/settings/{section}",
        get_settings,
        "settings.view",
        "A section of the settings",
        answer=dict[str, Any],
    ),
    Route(
        "PATCH",
        "/settings/{section}",
        patch_settings,
        "settings.edit",
        "Change settings",
        request=dict[str, Any],
        answer=dict[str, Any],
    ),
    Route("GET", "/pages", list_pages, SIGNED_IN, "The caller's pages", answer=Page[PageRecord]),
)
