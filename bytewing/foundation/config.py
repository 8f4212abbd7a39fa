"""Read TOML into frozen, validated models; errors name file, key and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny, ValidationError
from pydantic_core import PydanticCustomError

from bytewing.foundation.errors import BadInputError, did_you_mean


class Config(BaseModel):
    """Base of every configuration model: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=BaseModel)
Models = Mapping[str, type[Config]]


@dataclass(frozen=True)
class _Tagged:
    """Marks a field whose model depends on the key ``kind`` of its table."""

    models: Callable[[], Models]


def tagged(models: Callable[[], Models]) -> Any:  # noqa: ANN401 (an annotation)
    """Return the annotation of a table whose key ``kind`` selects its model.

    Args:
        models: returns the models by kind; called when a table is read, not before.
    """

    def validate(value: Any) -> Any:  # noqa: ANN401 (whatever the TOML file holds)
        if not isinstance(value, dict):
            return value
        known = models()
        if "kind" not in value:
            hint = did_you_mean("", known)
            raise PydanticCustomError(
                "kind_missing", "key 'kind' is missing; add it{hint}", {"hint": hint}
            )
        if value["kind"] not in known:
            hint = did_you_mean(str(value["kind"]), known)
            raise PydanticCustomError(
                "kind_unknown",
                "key 'kind' = {kind}{hint}",
                {"kind": repr(value["kind"]), "hint": hint},
            )
        return known[value["kind"]].model_validate(value)

    return Annotated[SerializeAsAny[Config], BeforeValidator(validate), _Tagged(models)]


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into a dict; BadInputError names the file and the line."""
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path}: not valid TOML: {error}") from error


def parse(model: type[ConfigT], data: Mapping[str, Any], where: str | Path) -> ConfigT:
    """Validate ``data`` as ``model``; the first problem becomes a line with file and key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # An unknown key explains a missing one (a typo is both), so it is reported first.
        problems = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        raise BadInputError(f"{where}: {_describe(problems[0], model, data)}") from error


def load(model: type[ConfigT], path: Path) -> ConfigT:
    """Read a TOML file and validate it as ``model``."""
    return parse(model, read_toml(path), path)


def override(data: dict[str, Any], assignment: str) -> None:
    """Apply one ``--set key.path=value`` to a raw TOML dict, in place.

    The value is read as TOML (``2``, ``true``, ``[1, 2]``, ``"text"``). A value that is not TOML is
    a string, so that ``--set policy=NAME`` needs no quotes.
    """
    key, separator, text = assignment.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise BadInputError(f"--set {assignment}: must read KEY=VALUE, such as camera.noise=0")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = data
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise BadInputError(f"--set {assignment}: {part!r} is a value, not a table")
    table[parts[-1]] = value


_KEY = "key '"


def _describe(
    problem: Any,  # noqa: ANN401 (pydantic's ErrorDetails)
    model: type[BaseModel],
    data: Mapping[str, Any],
) -> str:
    location, valid = _located(model, [str(part) for part in problem["loc"]], data)
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        hint = did_you_mean(location[-1], valid) if valid else "; remove it"
        return f"unknown key '{key}'{hint}"
    if problem["type"] == "missing":
        return f"key '{key}' is missing; add it"
    message: str = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if message.startswith(_KEY):  # the whole table was refused, for one of its keys
        return message if not key else f"{_KEY}{key}.{message.removeprefix(_KEY)}"
    if not key:
        return message
    shown = repr(problem.get("input"))
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return f"key '{key}' = {shown}: {message}"


def _located(
    model: type[BaseModel], location: list[str], data: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Return the key as a user writes it, and the valid keys of its table.

    pydantic's location also holds the ``kind`` of the union's member, which is left out here.
    """
    tables: list[type[BaseModel]] = [model]
    key: list[str] = []
    holders = tables
    value: Any = data
    for part in location:
        chosen = [table for table in tables if _kind(table) == part]
        if chosen and key and not any(part in table.model_fields for table in tables):
            tables = chosen
            continue
        key.append(part)
        holders = tables
        value = value.get(part) if isinstance(value, Mapping) else None
        fields = [table.model_fields[part] for table in tables if part in table.model_fields]
        if fields:  # otherwise a list index: stay with the tables found so far
            annotations = [leaf for f in fields for leaf in (f.annotation, *_flatten(f.annotation))]
            tables = [a for a in annotations if isinstance(a, type) and issubclass(a, BaseModel)]
            marks = [mark for f in fields for mark in f.metadata if isinstance(mark, _Tagged)]
            kind = value.get("kind") if isinstance(value, Mapping) else None
            known = {name: model for mark in marks for name, model in mark.models().items()}
            if kind in known:
                tables = [known[kind]]
    return key, list(holders[0].model_fields) if holders else []


def _kind(table: type[BaseModel]) -> Any:  # noqa: ANN401 (whatever default it has)
    return table.model_fields["kind"].default if "kind" in table.model_fields else None


def _flatten(annotation: Any) -> list[Any]:  # noqa: ANN401 (any typing construct)
    return [leaf for arg in get_args(annotation) for leaf in (arg, *_flatten(arg))]
