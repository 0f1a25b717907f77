"""Every operation of the API under requests made by chance, with an owner's token.

Three kinds of cases: what the OpenAPI document allows, what it forbids, and right requests with
one value broken. In two of three, parameters name what exists, else all would end in 404. Nothing
may answer 5xx, every answer must be what the document says, nearly every operation must have been
reached, and the books must be right afterwards.
"""

from __future__ import annotations

import contextlib
import copy
import os
import random
import unittest
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import hypothesis
import pytest
import requests
import schemathesis
from fuzz_shop import Example, FuzzShop
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from shop_server import Server, ShopFolder

from dianku.clock import SystemClock
from dianku.trust import keeping
from dianku.trust.keeping import Trust

ROOT = "/api/v1"
CASES = 30
"""Of each kind, for each operation."""
HITS = 2 / 3
RARELY = 0.2
TIMEOUT_S = 60
STREAM_S = 0.5
"""How long the endless stream is read."""
REACHED_MIN = 0.95
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STREAM = "text/event-stream"
AnyCase: TypeAlias = Case[Any]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
BROKEN: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 683.0, 0.1, 1e308, -(10**30), 2**63, 2**31),
    *("", " ", "NaN", "-0", "1e999999", "9" * 400, "\0", "\ud800", "店", "'; --", "%00", "../.."),
    *("2026-02-30", "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
    *([], {}, [[]], {"": None}, ["S1", "S1"], "S1", "cola", "box"),
)
"""Values that broke somebody's program once."""


@dataclass
class Count:
    """What was sent to an operation, and how it was answered."""

    cases: int = 0
    good: int = 0
    refused: int = 0


@dataclass
class Fuzzing:
    """Sends cases and keeps count; what is wrong is noted, so that one finding hides no other.

    Attributes:
        own_token: The id of the token that asks; it must not be revoked.
    """

    url: str
    token: str
    own_token: str
    shop: FuzzShop
    chance: random.Random
    session: requests.Session
    counts: dict[str, Count] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def operation(self, operation: Operation, *, seed: int) -> None:
        """Send an operation all its cases."""
        name = name_of(operation)
        self.counts[name] = Count()
        for example in self.shop.examples(name):
            self.send(case_of(operation, example), upload=example.upload)
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            cases = operation.as_strategy(generation_mode=mode)
            use = self._thin_and_send if mode is GenerationMode.POSITIVE else self._send_placed
            draw(cases, count=CASES, seed=seed, use=use)
        for example in self.broken(operation):
            self.send(case_of(operation, example), upload=example.upload)

    def _thin_and_send(self, case: AnyCase) -> None:
        """Leave some filters out: all of them at once find fault with each other, or nothing."""
        for parameter in case.operation.definition.raw.get("parameters", ()):
            if not parameter.get("required") and self.chance.random() < HITS:
                case.query.pop(parameter["name"], None)
        self._send_placed(case)

    def _send_placed(self, case: AnyCase) -> None:
        self.send(self.placed(case))

    def placed(self, case: AnyCase) -> AnyCase:
        """The case, more often than not about things that exist."""
        path = case.path.removeprefix(ROOT)
        for name in case.path_parameters or ():
            known = self.shop.path_values(path, name)
            if known and self.chance.random() < HITS:
                case.path_parameters[name] = self.chance.choice(known)
        for parameter in case.operation.definition.raw.get("parameters", ()):
            name = parameter["name"]
            known = self.shop.known.get(name, [])
            wanted = parameter.get("required") or name in case.query
            if parameter["in"] == "query" and known and wanted and self.chance.random() < HITS:
                value = self.chance.choice(known)
                case.query[name] = [value] if parameter["schema"].get("type") == "array" else value
        return case

    def broken(self, operation: Operation) -> Iterator[Example]:
        """Right requests with one value of the body replaced, or left out."""
        name = name_of(operation)
        path = name.partition(" ")[2]
        for _ in range(CASES):
            bodies = [example for example in self.shop.examples(name) if example.body]
            if not bodies:
                return
            example = copy.deepcopy(self.chance.choice(bodies))
            inside, key = self.chance.choice(list(places_of(example.body)))
            if isinstance(inside, dict) and self.chance.random() < RARELY:
                del inside[key]
            else:
                inside[key] = self.chance.choice(BROKEN)
            anything = {
                one: self.chance.choice(self.shop.path_values(path, one)) for one in example.path
            }
            yield replace(example, path=anything)

    def send(self, case: AnyCase, *, upload: bytes | None = None) -> None:
        """Send a case and check what comes back."""
        name = name_of(case.operation)
        if name == "DELETE /tokens/{id}" and case.path_parameters.get("id") == self.own_token:
            return
        more: dict[str, Any] = {}
        if upload is not None:
            more = {"data": form_of(case.body), "files": {"file": ("sheet.csv", upload)}}
        endless = STREAM in str(case.operation.definition.raw["responses"])
        count = self.counts[name]
        count.cases += 1
        try:
            response = case.call(
                base_url=self.url,
                session=self.session,
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=STREAM_S if endless else TIMEOUT_S,
                **more,
            )
        except requests.RequestException as error:
            self._note(case, error)
            return
        count.good += response.status_code < 300
        count.refused += 400 <= response.status_code < 500
        try:
            case.validate_response(response, checks=CHECKS)
        except BaseExceptionGroup as group:
            for failure in group.exceptions:
                self._note(case, failure, str(group))

    def _note(self, case: AnyCase, error: BaseException, text: str = "") -> None:
        kind = f"{name_of(case.operation)}: {type(error).__name__}"
        self.wrong.setdefault(kind, f"{kind}\n{case!r}\n{text or error}")


def name_of(operation: Operation) -> str:
    """The operation's method and path below the API's root."""
    return f"{operation.method.upper()} {operation.path.removeprefix(ROOT)}"


def case_of(operation: Operation, example: Example) -> AnyCase:
    """A case that sends the example."""
    more = {} if example.body is None else {"body": example.body}
    return operation.Case(path_parameters=dict(example.path), query=dict(example.query), **more)


def form_of(body: Any) -> dict[str, bytes]:
    """The fields of a form, also where their text is none that UTF-8 has."""
    return {name: str(value).encode("utf-8", "surrogatepass") for name, value in body.items()}


def places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: what it is in, and its key or index."""
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in pairs:
        yield value, key
        yield from places_of(inner)


def draw(cases: Any, *, count: int, seed: int, use: Callable[[AnyCase], None]) -> None:
    """Use so many cases; none where there is nothing to choose, such as a way to be wrong."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        phases=[hypothesis.Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(cases)
    def run(case: AnyCase) -> None:
        use(case)

    with contextlib.suppress(Unsatisfiable, unittest.SkipTest):
        run()


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str]) -> int:
    """Of all chance here: `DIANKU_SEED`, or a new one, which is printed."""
    found = int(os.environ.get("DIANKU_SEED") or random.SystemRandom().randrange(2**32))
    with capsys.disabled():
        print(f"\nDIANKU_SEED={found}")
    return found


def report(counts: Mapping[str, Count]) -> list[str]:
    """Print what was sent; returns the operations that were not reached with a 2xx."""
    print(f"{'cases':>6} {'2xx':>6} {'4xx':>6}  operation")
    for name, count in counts.items():
        print(f"{count.cases:6} {count.good:6} {count.refused:6}  {name}")
    cases = sum(count.cases for count in counts.values())
    missed = [name for name, count in counts.items() if not count.good]
    print(f"{cases} cases, {len(counts)} operations, not reached with a 2xx: {missed or 'none'}")
    return missed


@pytest.mark.long("fuzz")
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("default")
def test_every_operation_under_chance_answers_as_documented_and_never_5xx(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ShopFolder(tmp_path / "shop")
    folder.init(store="S1")
    token = folder.token("chance")
    Trust(folder.folder / keeping.FOLDER, clock=SystemClock()).renew()
    with Server(folder) as server, requests.Session() as session:
        tokens = server.call("GET", "/tokens", token=token)["items"]
        (own,) = [one["id"] for one in tokens if one["name"] == "chance"]
        document = server.call("GET", "/openapi.json", token=token)
        # A case cannot be wrong by a token of its own: every one is sent with the owner's.
        schema = schemathesis.openapi.from_dict(
            {k: document[k] for k in document if k != "security"}
        )
        shop = FuzzShop(server.url, token)
        fuzzing = Fuzzing(server.url, token, own, shop, random.Random(seed), session)
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            fuzzing.operation(found.ok(), seed=seed)
        shop.close()
        assert server.call("GET", "/me", token=token)["role"] == "owner"
    with capsys.disabled():
        missed = report(fuzzing.counts)
    assert not fuzzing.wrong, "\n\n".join(fuzzing.wrong.values())
    documented = {
        f"{method.upper()} {path.removeprefix(ROOT)}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert fuzzing.counts.keys() == documented
    assert len(missed) <= (1 - REACHED_MIN) * len(documented), missed
    assert folder.verify()["clean"] is True
