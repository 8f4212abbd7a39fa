"""Find the operators: every concrete ``Operator`` of a module in this package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache

from bytewing.firmware_export import operators as package
from bytewing.firmware_export.operators.operator import Operator


@cache
def operators() -> tuple[type[Operator], ...]:
    """Return all operators, in the order of their modules' names."""
    found: list[type[Operator]] = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        members = vars(importlib.import_module(module.name)).values()
        found += [
            member
            for member in members
            if inspect.isclass(member)
            and issubclass(member, Operator)
            and not inspect.isabstract(member)
            and member.__module__ == module.name
        ]
    return tuple(found)


@cache
def by_onnx_type() -> Mapping[str, type[Operator]]:
    """Return the operator that reads each ONNX operator.

    Raises:
        TypeError: two operators claim the same one.
    """
    readers: dict[str, type[Operator]] = {}
    for operator in operators():
        for onnx_type in operator.onnx_types:
            if onnx_type in readers:
                raise TypeError(f"{readers[onnx_type]} and {operator} both read {onnx_type}")
            readers[onnx_type] = operator
    return readers
