"""TOML into frozen, validated models; what is wrong is said with file, key and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from sim.errors import BadInputError, did_you_mean


class Config(BaseModel):
    """Base of every configuration model: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ConfigT = TypeVar("ConfigT", bound=BaseModel)


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
    """Validate ``data`` as ``model``; the first problem becomes one line naming file and key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # An unknown key explains a missing one (a typo is both), so it is reported first.
        problems = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        raise BadInputError(f"{where}: {_describe(problems[0], model)}") from error


def load(model: type[ConfigT], path: Path) -> ConfigT:
    """Read and validate a TOML file in one go."""
    return parse(model, read_toml(path), path)


def override(data: dict[str, Any], assignment: str) -> None:
    """Apply one ``--set key.path=value`` to a raw TOML dict, in place.

    The value is read as TOML (``2``, ``true``, ``[1, 2]``, ``"text"``); what is not TOML is taken
    as a string, so that ``--set policy=road`` needs no quotes.
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


def _describe(problem: Any, model: type[BaseModel]) -> str:  # noqa: ANN401 (pydantic's ErrorDetails)
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        valid = _fields_at(model, location[:-1])
        hint = did_you_mean(location[-1], valid) if valid else "; remove it"
        return f"unknown key '{key}'{hint}"
    if problem["type"] == "missing":
        return f"key '{key}' is missing; add it"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if not key:
        return message
    shown = repr(problem.get("input"))
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return f"key '{key}' = {shown}: {message}"


def _fields_at(model: type[BaseModel], location: list[str]) -> list[str]:
    """Return the valid keys of the (possibly nested) model that ``location`` leads to."""
    current: type[BaseModel] | None = model
    for part in location:
        field = current.model_fields.get(part) if current else None
        if field is None:
            continue  # a list index or a union's tag: stay with the model found so far
        candidates = [field.annotation, *_flatten(field.annotation)]
        models = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        current = models[0] if models else None
    return list(current.model_fields) if current else []


def _flatten(annotation: Any) -> list[Any]:  # noqa: ANN401 (any typing construct)
    return [leaf for arg in get_args(annotation) for leaf in (arg, *_flatten(arg))]
