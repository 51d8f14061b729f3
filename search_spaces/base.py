"""The contract of a search space: domains for keys, and the config to beat.

A space maps keys (``model.*``, ``train.*``, ``data.*``) to domains. A plain value in the place of a domain is fixed.
Everything here is pure data over the standard library, so that a space can be read, checked and stored without any of the
libraries that will train with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

Value: TypeAlias = bool | int | float | str | None
Config: TypeAlias = dict[str, Value]

PREFIXES = ("model.", "train.", "data.")


def same(left: Value, right: Value) -> bool:
    """Equality of config values in which 1, 1.0 and True are one only where a domain's type says so."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


Condition: TypeAlias = Mapping[str, Value | tuple[Value, ...]]
"""A key to the value, or the values, that it must have."""


def _condition(when: Condition | None) -> Condition:
    # JSON has lists for tuples.
    return MappingProxyType({key: tuple(value) if isinstance(value, list) else value for key, value in (when or {}).items()})


def _meets(value: Value, wanted: Value | tuple[Value, ...]) -> bool:
    return any(same(value, each) for each in wanted) if isinstance(wanted, tuple) else same(value, wanted)


class Domain:
    """The range of one key. ``when`` names the values of other keys under which the key exists at all."""

    when: Condition

    def contains(self, value: Value) -> bool:
        """Whether ``value`` may be drawn from this domain."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which ``domain_from_json`` makes this domain again."""
        raise NotImplementedError

    def __str__(self) -> str:
        raise NotImplementedError


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, init=False)
class Float(Domain):
    """A real number in [low, high], drawn uniformly, or uniformly in its logarithm."""

    low: float
    high: float
    log: bool
    when: Condition

    def __init__(self, low: float, high: float, *, log: bool = False, when: Condition | None = None) -> None:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"a Float needs finite low < high, got low={low}, high={high}")
        if log and low <= 0:
            raise ValueError(f"a logarithmic Float needs low > 0, got low={low}; use log=False or a positive low")
        for name, value in (("low", float(low)), ("high", float(high)), ("log", log), ("when", _condition(when))):
            object.__setattr__(self, name, value)

    def contains(self, value: Value) -> bool:
        return _is_number(value) and self.low <= value <= self.high  # type: ignore[operator]

    def to_json(self) -> dict[str, Any]:
        return {"kind": "float", "low": self.low, "high": self.high, "log": self.log, "when": dict(self.when)}

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', log' if self.log else ''}"


@dataclass(frozen=True, init=False)
class Int(Domain):
    """A whole number in [low, high], both included."""

    low: int
    high: int
    log: bool
    when: Condition

    def __init__(self, low: int, high: int, *, log: bool = False, when: Condition | None = None) -> None:
        if isinstance(low, bool) or isinstance(high, bool) or int(low) != low or int(high) != high or not low < high:
            raise ValueError(f"an Int needs whole low < high, got low={low}, high={high}")
        if log and low <= 0:
            raise ValueError(f"a logarithmic Int needs low > 0, got low={low}; use log=False or a positive low")
        for name, value in (("low", int(low)), ("high", int(high)), ("log", log), ("when", _condition(when))):
            object.__setattr__(self, name, value)

    def contains(self, value: Value) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def to_json(self) -> dict[str, Any]:
        return {"kind": "int", "low": self.low, "high": self.high, "log": self.log, "when": dict(self.when)}

    def __str__(self) -> str:
        return f"{self.low} to {self.high}{', log' if self.log else ''}"


@dataclass(frozen=True, init=False)
class _Listed(Domain):
    values: tuple[Value, ...]
    when: Condition

    def __init__(self, *values: Value, when: Condition | None = None) -> None:
        if len(values) < 2:
            name = type(self).__name__
            raise ValueError(f"{name} needs two values or more, got {values!r}; write a plain value to fix a key")
        if any(same(a, b) for i, a in enumerate(values) for b in values[:i]):
            raise ValueError(f"{type(self).__name__} needs distinct values, got {values!r}")
        object.__setattr__(self, "values", tuple(values))
        object.__setattr__(self, "when", _condition(when))

    def contains(self, value: Value) -> bool:
        return any(same(value, listed) for listed in self.values)

    def to_json(self) -> dict[str, Any]:
        return {"kind": type(self).__name__.lower(), "values": list(self.values), "when": dict(self.when)}

    def __str__(self) -> str:
        return " | ".join("none" if value is None else str(value) for value in self.values)


class Ordinal(_Listed):
    """Listed values in their natural order; samplers see the index, so that neighbours are alike."""

    def __init__(self, *values: Value, when: Condition | None = None) -> None:
        super().__init__(*values, when=when)
        numbers = [value for value in values if _is_number(value)]
        if len(numbers) != len(values) or list(numbers) != sorted(numbers):  # type: ignore[type-var]
            raise ValueError(f"Ordinal needs numbers in rising order, got {values!r}; use Choice for values without order")


class Choice(_Listed):
    """Listed values without an order."""


_KINDS: dict[str, type[Domain]] = {"float": Float, "int": Int, "ordinal": Ordinal, "choice": Choice}


def domain_from_json(text: Mapping[str, Any]) -> Domain:
    """The domain that ``Domain.to_json`` wrote."""
    fields = dict(text)
    kind = _KINDS[fields.pop("kind")]
    if issubclass(kind, _Listed):
        return kind(*fields["values"], when=fields["when"])
    return kind(**fields)


@dataclass(frozen=True)
class Space:
    """What may be tuned of one model.

    Args:
        model: Name of a module in ``models``, or a dotted path to any module with a ``MODEL``.
        search: Key to domain, or to a plain value that fixes the key. Keys that are absent keep their default.
        baseline: What the source of the model used, where it is not a default: trial 0 of every study.
        recipes: Changes to the baseline by horizon.
    """

    model: str
    search: Mapping[str, Domain | Value]
    baseline: Mapping[str, Value] = field(default_factory=dict)
    recipes: Mapping[int, Mapping[str, Value]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for key, domain in self.search.items():
            if not key.startswith(PREFIXES):
                raise ValueError(f"a key starts with model., train. or data., got {key!r} in the space of {self.model}")
            if isinstance(domain, Domain):
                for parent in domain.when:
                    if parent not in seen:
                        raise ValueError(f"{key} depends on {parent}, which the space of {self.model} must list before it")
            seen.add(key)
        for name in ("search", "baseline"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        recipes = {int(horizon): MappingProxyType(dict(recipe)) for horizon, recipe in self.recipes.items()}
        object.__setattr__(self, "recipes", MappingProxyType(recipes))

    @property
    def domains(self) -> dict[str, Domain]:
        """The keys that vary, in order: parents before children."""
        return {key: domain for key, domain in self.search.items() if isinstance(domain, Domain)}

    @property
    def fixed(self) -> Config:
        """The keys with one value."""
        return {key: value for key, value in self.search.items() if not isinstance(value, Domain)}

    def active(self, key: str, config: Mapping[str, Value]) -> bool:
        """Whether ``key`` exists under the values that ``config`` gives to its parents."""
        when = self.domains[key].when if key in self.domains else {}
        return all(parent in config and _meets(config[parent], wanted) for parent, wanted in when.items())

    def with_fixed(self, values: Mapping[str, Value]) -> Space:
        """This space with some keys fixed. A child of a key that is fixed to another value goes."""
        search: dict[str, Domain | Value] = {}

        def may_be(parent: str, wanted: Value | tuple[Value, ...]) -> bool:
            found = search.get(parent)
            return parent in search and (isinstance(found, Domain) or _meets(found, wanted))

        for key, domain in {**self.search, **values}.items():
            when = domain.when if isinstance(domain, Domain) else {}
            if all(may_be(parent, wanted) for parent, wanted in when.items()):
                search[key] = domain
        return replace(self, search=search)

    def baseline_config(self, horizon: int, defaults: Mapping[str, Value]) -> Config:
        """Trial 0: the recipe for ``horizon``, else the baseline, else ``defaults``, over all keys that are active.

        Args:
            horizon: Of the study.
            defaults: The default of every key that the model, TrainConfig and DataConfig know.
        """
        wanted = {**self.baseline, **self.recipes.get(horizon, {}), **self.fixed}
        config: Config = {}
        for key in (*self.search, *(key for key in wanted if key not in self.search)):
            if self.active(key, config):
                config[key] = wanted[key] if key in wanted else defaults[key]
        return config

    def problems_of(self, config: Mapping[str, Value]) -> Iterator[str]:
        """One sentence for each value of ``config`` that this space could not have drawn."""
        for key, domain in self.domains.items():
            if key in config and self.active(key, config) and not domain.contains(config[key]):
                yield f"{key} must lie in {domain}, got {config[key]!r}"

    def contains(self, config: Mapping[str, Value], defaults: Mapping[str, Value]) -> bool:
        """Whether a whole config, of this space or of another, could be one of this space.

        Args:
            config: Keys that it lacks have their default. Those that nothing varies must have theirs too, or the baseline's.
            defaults: The default of every key.
        """
        sources = (defaults, self.baseline, *self.recipes.values())
        for key, value in config.items():
            if key not in self.search and not any(key in source and same(value, source[key]) for source in sources):
                return False
        whole, seen = {**defaults, **config}, Config()
        for key, domain in self.search.items():
            if self.active(key, seen):
                seen[key] = whole[key]
                if not (domain.contains(seen[key]) if isinstance(domain, Domain) else same(domain, seen[key])):
                    return False
        return True

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which ``from_json`` makes this space again."""
        return {
            "model": self.model,
            "search": {
                k: d.to_json() if isinstance(d, Domain) else {"kind": "fixed", "value": d} for k, d in self.search.items()
            },
            "baseline": dict(self.baseline),
            "recipes": {str(horizon): dict(recipe) for horizon, recipe in self.recipes.items()},
        }

    @classmethod
    def from_json(cls, text: Mapping[str, Any]) -> Space:
        """The space that ``to_json`` wrote."""
        search = {k: d["value"] if d["kind"] == "fixed" else domain_from_json(d) for k, d in text["search"].items()}
        return cls(text["model"], search, text["baseline"], {int(h): r for h, r in text["recipes"].items()})
