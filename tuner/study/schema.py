"""Which keys exist, of which type, with which default; read from source, so that no model has to be imported.

``model.*`` keys are the keyword-only arguments of a model's constructor, ``train.*`` the fields of TrainConfig, ``data.*``
those of DataConfig.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from datasets.config import DataConfig
from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Space, Value
from tuner.study.train_config import TrainConfig


@dataclass(frozen=True)
class Key:
    """One key of a config."""

    name: str
    annotation: Any
    """A type, a Literal, or a union of those."""
    default: Value

    def accepts(self, value: Value) -> bool:
        """Whether ``value`` has this key's type. An int is a float, a bool is neither."""
        return _accepts(self.annotation, value)

    @property
    def type_name(self) -> str:
        """The type in a user's words."""
        return _type_name(self.annotation)


def _accepts(annotation: Any, value: Value) -> bool:
    origin = get_origin(annotation)
    if origin is Literal:
        return value in get_args(annotation)
    if origin in (Union, UnionType):
        return any(_accepts(part, value) for part in get_args(annotation))
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is annotation


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(map(str, get_args(annotation)))
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(map(_type_name, get_args(annotation)))
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", NoneType: "none"}
    return names[annotation]


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """The sentence for an unknown name: what was meant, perhaps, and what exists."""
    known = sorted(known)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    guess = f"; did you mean {close[0]!r}?" if close else "."
    return f"no {what} is named {word!r}{guess} There are: {', '.join(known)}"


def source_of(package: str, name: str) -> Path:
    """The source file of a plug-in by name, or of any module by dotted path.

    Raises:
        LookupError: there is none.
    """
    own = Path(importlib.import_module(package).__path__[0]) / f"{name}.py"
    if "." not in name:
        if own.exists() and not name.startswith("_"):
            return own
        raise LookupError(f"no module {package}/{name}.py")
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        raise LookupError(f"no module {name} can be found from here: {error}") from None
    if spec is None or spec.origin is None:
        raise LookupError(f"no module {name} can be found from here; give the dotted path of an importable module")
    return Path(spec.origin)


def summary_of(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def model_keys(model: str) -> dict[str, Key]:
    """The ``model.*`` keys of a model by name or dotted path, from the source of its constructor.

    Raises:
        LookupError: there is no such module.
        TypeError: the module's MODEL is no class of its own with a constructor after the contract.
    """
    path = source_of("models", model)
    tree = ast.parse(path.read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    names = [
        node.value.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Name)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == "MODEL"
    ]
    if not names or names[0] not in classes:
        raise TypeError(f"a model's module ends with MODEL = its class, defined there; {path} does not")
    for node in classes[names[0]].body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return dict(_constructor_keys(node, path))
    raise TypeError(f"a model has a constructor of its own, {names[0]} in {path} has none")


def _constructor_keys(init: ast.FunctionDef, path: Path) -> Iterator[tuple[str, Key]]:
    if init.args.kwarg or init.args.vararg or len(init.args.args) != 2:
        raise TypeError(f"a model's constructor takes (self, shape, *, keyword=default ...), see {path}:{init.lineno}")
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        place = f"{path}:{argument.lineno}"
        if argument.annotation is None or default is None:
            raise TypeError(f"argument {argument.arg} of a model's constructor needs a type and a default, see {place}")
        scope = {"Literal": Literal, "int": int, "float": float, "bool": bool, "str": str}
        try:
            annotation = eval(compile(ast.Expression(argument.annotation), str(path), "eval"), {"__builtins__": {}}, scope)
        except NameError:
            raise TypeError(f"argument {argument.arg} is a bool, int, float, str, Literal or None, see {place}") from None
        yield f"model.{argument.arg}", Key(f"model.{argument.arg}", annotation, ast.literal_eval(default))


def _dataclass_keys(prefix: str, owner: type) -> Iterator[tuple[str, Key]]:
    hints = get_type_hints(owner)
    for item in fields(owner):
        assert item.default is not MISSING
        yield f"{prefix}.{item.name}", Key(f"{prefix}.{item.name}", hints[item.name], item.default)


def keys_of(model: str) -> dict[str, Key]:
    """Every key that a config for ``model`` may hold."""
    return {**model_keys(model), **dict(_dataclass_keys("train", TrainConfig)), **dict(_dataclass_keys("data", DataConfig))}


def defaults_of(model: str) -> Config:
    """The default of every key."""
    return {name: key.default for name, key in keys_of(model).items()}


def split_config(config: Mapping[str, Value]) -> tuple[dict[str, Any], TrainConfig, DataConfig]:
    """A config as constructor arguments, TrainConfig, DataConfig."""
    parts: dict[str, dict[str, Any]] = {"model": {}, "train": {}, "data": {}}
    for key, value in config.items():
        prefix, _, name = key.partition(".")
        parts[prefix][name] = value
    return parts["model"], TrainConfig(**parts["train"]), DataConfig(**parts["data"])


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def parse_value(key: Key, text: str) -> Value:
    """The value of ``--set key=text``.

    Raises:
        ValueError: the text is no value of the key's type.
    """
    words: dict[str, Value] = {"none": None, "true": True, "false": False}
    candidates: list[Value] = [words[text.lower()]] if text.lower() in words else []
    for number in (int, float):
        try:
            candidates.append(_finite(number(text)))
        except ValueError:
            continue
    for candidate in (*candidates, text):
        if key.accepts(candidate):
            return float(candidate) if key.annotation is float and candidate is not None else candidate
    raise ValueError(f"{key.name} must be {key.type_name}, got {text!r}")


def check_space(space: Space, where: str, horizon: int) -> None:
    """Proves by names, types and ranges alone that a space fits its model.

    Raises:
        LookupError: a key does not exist.
        ValueError: a value has the wrong type, or the baseline lies outside the space.
    """
    keys = keys_of(space.model)
    named = {*space.search, *space.baseline, *(key for recipe in space.recipes.values() for key in recipe)}
    for name in named:
        if name not in keys:
            raise LookupError(did_you_mean(name, list(keys), f"key of {space.model}") + f" ({where})")
    for name, domain in space.search.items():
        for value in ends_of(domain):
            if not keys[name].accepts(value):
                raise ValueError(f"{name} must be {keys[name].type_name}, got {value!r} ({where})")
    for recipe in (space.baseline, *space.recipes.values()):
        for name, value in recipe.items():
            if not keys[name].accepts(value):
                raise ValueError(f"{name} must be {keys[name].type_name}, got {value!r} in the baseline ({where})")
    baseline = space.baseline_config(horizon, defaults_of(space.model))
    for problem in space.problems_of(baseline):
        raise ValueError(f"the baseline must lie inside the space: {problem} ({where}); widen the range or fix the key")
    split_config(space.fixed)


def ends_of(domain: Domain | Value) -> tuple[Value, ...]:
    """The lower and the upper end of a domain, or all that it lists; a plain value is its own."""
    match domain:
        case Float() | Int():
            return (domain.low, domain.high)
        case Ordinal() | Choice():
            return domain.values
        case Domain():
            return ()
        case value:
            return (value,)
