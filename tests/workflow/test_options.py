"""Options are declared once: what is read, checked, documented and completed by editors agrees, for any value."""

import dataclasses
import json
import math
import shutil
import subprocess
import sys

import configuration
import jsonschema
import pytest
import yaml
from configuration.keys import SECTIONS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinetrain.errors import InputError
from kinetrain.options import plain, read_options, try_options
from kinetrain.options.types import kinds, resolve
from kinetrain.training.options import LearningRates

SCHEMA = configuration.schema()
CHECKER = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=CHECKER)
FIELDS = [(title, field) for title, record in SECTIONS.items() for field in dataclasses.fields(record)]

texts = st.sampled_from(["full", "auto", "S3", "dash", "sgd", "1e-3", "a b", "", "x\n", "../x", "data.csv", "phoenix"])
numbers = st.integers(-3, 2**31) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2))


@given(st.sampled_from(FIELDS), values)
@settings(deadline=None, max_examples=300)
def test_what_is_read_is_valid_in_an_editor(place, value):
    title, field = place
    record = SECTIONS[title]
    wrong = [line for line in try_options(record, {field.name: value}, "x")[1] if line.startswith(f"x.{field.name}")]
    properties = (SCHEMA if title == "Top level" else SCHEMA["$defs"][title])["properties"]
    valid = Validator({**properties[field.name], "$defs": SCHEMA["$defs"]}).is_valid(value)
    accepted_absence = value is None and field.metadata["absent"]
    assert wrong or valid or accepted_absence, (title, field.name, value)


def of_kind(kind, marks):
    """Return a strategy for values of a type within the bounds of its field, None for types that are not simple."""
    kind, mark = resolve(kind)
    low, high = marks.get("least", marks.get("above")), marks.get("most", marks.get("below"))
    if mark is None and kind is int:
        return st.integers(low or 0, min(high or 1000, 1000))
    if mark is None and kind is float:
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    return st.booleans() if kind is bool else None


RECORDS = [record for record in SECTIONS.values() if not record.exactly_one]


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_options_are_the_same_after_being_written_and_read(data):
    record = data.draw(st.sampled_from([record for record in RECORDS if not try_options(record, {}, "x")[1]]))
    strategies = {
        field.name: of_kind(kinds(record)[field.name], field.metadata) for field in dataclasses.fields(record)
    }
    given_values = {name: one for name, one in strategies.items() if one is not None}
    drawn = data.draw(st.fixed_dictionaries({}, optional=given_values))
    options, wrong = try_options(record, drawn, "x")
    if not wrong:
        assert read_options(record, json.loads(json.dumps(plain(options)))) == options
        assert all(getattr(options, name) == value for name, value in drawn.items())


@given(st.floats() | st.integers())
@settings(deadline=None, max_examples=200)
def test_a_learning_rate_is_any_positive_number_and_nothing_else(start):
    right = start > 0 and ((isinstance(start, int) and start < 10**300) or math.isfinite(start))
    try:
        assert read_options(LearningRates, {"start": start}).start == float(start) and right
    except InputError as error:
        assert not right and "settings.start = " in str(error)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["C"]), min_size=1), st.integers() | st.text("ab ")))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_configuration_is_read_as_it_was_written(tmp_path, content):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert configuration.read_yaml(tmp_path / "c.yaml") == content
    (tmp_path / "c.json").write_text(json.dumps(content, indent="\t"))
    assert configuration.read_yaml(tmp_path / "c.json") == content


def test_lists_in_lists_without_end_are_refused(tmp_path):
    (tmp_path / "c.yaml").write_text("seeds: " + "[" * 5000 + "]" * 5000)
    with pytest.raises(InputError, match="nested too deeply"):
        configuration.read_yaml(tmp_path / "c.yaml")


def test_keys_merged_from_an_anchor_may_be_given_anew(tmp_path):
    (tmp_path / "c.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert configuration.read_yaml(tmp_path / "c.yaml")["b"] == {"x": 1, "y": 3}


def test_the_schema_for_editors_is_that_of_the_options(root):
    for name, overlay in (("schema.json", False), ("schema-overlay.json", True)):
        written = json.loads((root / "config" / name).read_text())
        assert written == configuration.schema(overlay=overlay), "bring config/*.json up to date with `make docs`"


def test_every_configuration_names_its_schema_and_is_valid(root):
    for path in sorted((root / "config").glob("*.yaml")):
        name = path.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        Validator(json.loads((path.parent / name).read_text())).validate(yaml.safe_load(path.read_text()))


def test_empty_sections_are_those_of_the_defaults():
    given_nothing = configuration.complete({"fits": None, "methods": {"unpruned": None}, "training": None})
    assert given_nothing == configuration.complete({"methods": {"unpruned": {}}})


def test_the_default_mini_batches_of_a_problem_with_few_conditions_are_full(smoke, manifest, root):
    smoke["fits"].pop("mini_batch")
    smoke["problems"]["egf_akt"]["artificial"] |= {"conditions": 3}  # two of them are fitted
    with pytest.warns(UserWarning, match="problems.egf_akt: 4 conditions per mini-batch are more than the 2"):
        plan = configuration.Plan(smoke, manifest, places=(root,))
    assert plan.fit_labels("egf_akt") == ["adam_balanced-S3-batchfull-rescue", "fides"]


NEW = {
    "training/update_rules/halved.py": "def direction(moments, gradient, t):\n    return gradient / 2, moments\n",
    "training/optimizers/nothing.py": "def minimize(evaluate, x, lower, upper, information):\n    return str()\n",
    "neural/fields/flat.py": "import torch\n",
    "neural/integrators/euler.py": "import torch\n",
    "pruning/methods/odd.py": """from dataclasses import dataclass

from kinetrain.pruning import method
from kinetrain.options import option


@dataclass(frozen=True)
class Method(method.Method):
    share: float = option(0.5, "Share of the odd weights.", least=0, most=1)
""",
}


def test_a_new_rule_optimizer_field_integrator_or_method_is_one_file(root, tmp_path):
    shutil.copytree(root / "workflow", tmp_path / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "resources", tmp_path / "resources")
    (tmp_path / "mine.yaml").write_text(
        "fits:\n  optimizers: {mine: {rule: halved, then: nothing}}\n  full_batch: {optimizers: [nothing]}\n"
        "training: {model: flat, integrator: euler}\nmethods: {odd: {share: 0.1}}\ndatasets: {d: {simulate: {}}}\n"
    )
    check = [sys.executable, "workflow/configuration", "check", "mine.yaml"]
    before = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    for name, text in NEW.items():
        assert f"'{name.rpartition('/')[2][:-3]}'" in before.stderr.replace("methods.odd", "'odd'")
        (tmp_path / "workflow" / "kinetrain" / name).write_text(text)
    after = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert before.returncode == 1 and after.returncode == 0, after.stderr
