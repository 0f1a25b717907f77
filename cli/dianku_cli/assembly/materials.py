"""The bill of materials of a bundle, as CycloneDX: every wheel, its hash, licence and requirements.

The licences are what the wheels' own metadata says, by its SPDX identifier where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_expression, is_supported_id
from packageurl import PackageURL
from packaging.requirements import Requirement

from dianku_cli.assembly.wheels import Wheel, normalized

_SPDX = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What older metadata calls a licence, and what SPDX does."""

_LINE_MAX = 80
"""A longer `License` is the text of one, not the name."""


def bill_of_materials(
    edition: Wheel, wheels: Sequence[Wheel], *, extras: Mapping[str, Iterable[str]], time: int
) -> str:
    """The bill of an edition as JSON; the same wheels and time give the same text.

    `extras` are those that are installed, by distribution: their requirements count too. `time` is
    the commit's, in seconds since 1970.
    """
    components = {wheel.key: _component(wheel) for wheel in wheels}
    whole = _component(edition, kind=ComponentType.APPLICATION)
    bom = Bom(
        components=[components[wheel.key] for wheel in wheels if wheel.key != edition.key],
        serial_number=uuid5(NAMESPACE_URL, "".join(sorted(wheel.sha256 for wheel in wheels))),
    )
    bom.metadata.component = whole
    bom.metadata.timestamp = datetime.fromtimestamp(time, UTC)
    for wheel in wheels:
        owner = whole if wheel.key == edition.key else components[wheel.key]
        needed = required_names(wheel, extras.get(wheel.key, ()))
        bom.register_dependency(owner, [components[name] for name in needed if name in components])
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def required_names(wheel: Wheel, extras: Iterable[str] = ()) -> list[str]:
    """The distributions that a wheel requires on this machine, with some of its extras."""
    found = set()
    for line in wheel.metadata.get_all("Requires-Dist", []):
        requirement = Requirement(str(line))
        for extra in ("", *extras):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                found.add(normalized(requirement.name))
    return sorted(found)


def licence_of(wheel: Wheel) -> str:
    """What the metadata says of the licence, by its SPDX identifier where that is known."""
    written = [wheel.metadata["License-Expression"], wheel.metadata["License"]]
    for classifier in wheel.metadata.get_all("Classifier", []):
        group, _, last = str(classifier).rpartition(" :: ")
        written += [last] if group.startswith("License") else []
    names = [str(one) for one in written if one and len(one) <= _LINE_MAX and "\n" not in one]
    named = [_SPDX.get(name, name) for name in names]
    known = [name for name in named if is_supported_id(name) or is_expression(name)]
    return next(iter([*known, *named]), "not stated")


def _component(wheel: Wheel, *, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    return Component(
        type=kind,
        name=wheel.name,
        version=wheel.version,
        bom_ref=f"{wheel.key}=={wheel.version}",
        purl=PackageURL("pypi", None, wheel.key, wheel.version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=[_licence(licence_of(wheel))],
    )


def _licence(text: str) -> License:
    return LicenseFactory().make_from_string(text)
