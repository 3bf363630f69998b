"""Rules as they stand in a source's YAML: from text or mapping to what ``extract.rules`` runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, ValidationError, WithJsonSchema, model_validator

from crawler.extract.rules import KINDS, Rule, compile_step
from crawler.yamlfile import Strict, near


class StepModel(Strict):
    """One way to a value: exactly one of the selectors, and how to narrow what it finds."""

    css: str = ""
    """CSS selector, with ``::text`` and ``::attr(name)``."""
    xpath: str = ""
    """XPath 1.0; inside a list item begin with ``.//``."""
    jmespath: str = ""
    """JMESPath, for JSON answers."""
    jsonpath: str = ""
    """JSON path (RFC 9535) without descent and filters."""
    const: str = ""
    """A fixed text."""
    regex: str = ""
    """Alone: searched in the whole answer. With a selector: narrows what it found. First group, else all of it."""
    first: bool = False
    """Take the first of several matches; without it several matches do not fit."""
    join: str | None = None
    """Join several matches with this text."""

    @model_validator(mode="after")
    def _one_selector(self) -> StepModel:
        chosen = [kind for kind in KINDS if kind != "regex" and getattr(self, kind)]
        if len(chosen) > 1 or not (chosen or self.regex):
            raise ValueError(f"name exactly one of {', '.join(KINDS)}")
        self.compiled_as("css")
        return self

    def compiled_as(self, bare: str) -> Any:
        """The step, ready to run. ``bare`` is unused here: a mapping names its own kind."""
        kind = next((kind for kind in KINDS if kind != "regex" and getattr(self, kind)), "regex")
        narrow = "" if kind == "regex" else self.regex
        return compile_step(kind, getattr(self, kind), narrow, self.first, self.join)


class RuleModel:
    """One step or several in order; a bare text is CSS on HTML and JMESPath on JSON."""

    def __init__(self, steps: list[str | StepModel]) -> None:
        self.steps = steps

    def __repr__(self) -> str:  # the digest of a list's rules is made from it
        return f"RuleModel({self.steps!r})"

    @classmethod
    def read(cls, value: Any) -> RuleModel:
        """From what stands in the YAML. Raises ValueError (pydantic's among them) naming the fault."""
        if isinstance(value, RuleModel):
            return value
        many = value if isinstance(value, list) else [value]
        if not many or not all(isinstance(one, str | dict) and one for one in many):
            raise ValueError("expected a selector, a mapping such as {css: h1}, or a list of these")
        try:
            return cls([one if isinstance(one, str) else StepModel.model_validate(one) for one in many])
        except ValidationError as error:
            raise ValueError("; ".join(map(_step_fault, error.errors()))) from error

    def compiled(self, bare: str) -> Rule:
        """Ready to run; ``bare`` is the kind of its bare texts. Raises ValueError."""
        return Rule([compile_step(bare, one) if isinstance(one, str) else one.compiled_as(bare) for one in self.steps])


def _step_fault(fault: Any) -> str:
    where = str(fault["loc"][-1]) if fault["loc"] else ""
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{where}'.{near(where, StepModel.model_fields)}"
    return f"{where}: {fault['msg']}" if where else str(fault["msg"]).removeprefix("Value error, ")


_RULE = {"x-rule": True}
"""Stands for a rule in the generated JSON Schema until ``json_schema`` puts the definition in its place."""
RuleField = Annotated[RuleModel, PlainValidator(RuleModel.read), WithJsonSchema(_RULE)]
