"""The compiled kernel gives what Runge-Kutta in torch gives, for every size, mask and set of instructions."""

import multiprocessing

import numpy as np
import pytest
import torch

from kinetrain.compiler import runnable
from kinetrain.errors import InputError
from kinetrain.neural import ensemble
from kinetrain.neural.fields import mlp, phoenix
from kinetrain.neural.integrators import fused, rk4


def problem(models=1, rows=4, genes=30, hidden=5, durations=(1.5,)):
    """Models away from their start, some multipliers v below zero; the durations repeat over the rows."""
    generator = torch.Generator().manual_seed(1)
    drawn = [phoenix.initialise(seed, genes, hidden) for seed in range(models)]
    parameters = {name: torch.tensor(np.stack([one[name] for one in drawn])).float() for name in drawn[0]}
    away = 0.5 / genes**0.5
    parameters = {name: part + away * torch.randn(part.shape, generator=generator) for name, part in parameters.items()}
    parameters["v"] -= 0.2
    start, end = torch.rand((2, models, rows, genes), generator=generator)
    duration = torch.tensor([durations[row % len(durations)] for row in range(rows)]).repeat(models, 1)
    return parameters, start, end, duration, torch.ones(models, rows)


def assert_same(found, expected, tolerance=5e-6):
    """Loss and gradients agree, relative to the largest entry of each parameter."""
    assert torch.allclose(found[0], expected[0], rtol=1e-5)
    assert list(found[1]) == list(expected[1])
    for name, part in expected[1].items():
        assert float((found[1][name] - part).abs().max()) <= tolerance * float(part.abs().max()), name


def random_masks(parameters, density):
    generator = torch.Generator().manual_seed(2)
    masks = {name: torch.ones(part.shape, dtype=torch.bool) for name, part in parameters.items()}
    for name in fused.MATRICES:
        masks[name] = torch.rand(masks[name].shape, generator=generator) < density
        parameters[name].mul_(masks[name])
    return masks


def masked(result, masks):
    value, gradients = result
    return value, {name: gradient * masks[name] for name, gradient in gradients.items()}


SIZES = [(1, rows, 7, 3) for rows in range(1, 10)] + [(3, 16, 350, 40), (2, 5, 1, 1), (1, 4, 100, 33), (1, 37, 129, 17)]


@pytest.mark.parametrize(("models", "rows", "genes", "hidden"), SIZES)
def test_transitions_of_one_length_are_solved_as_by_torch(models, rows, genes, hidden):
    arguments = problem(models, rows, genes, hidden)
    steps = [5, 4, 2][:models]
    assert_same(
        fused.value_and_gradient(phoenix, *arguments, steps), rk4.value_and_gradient(phoenix, *arguments, steps)
    )
    parameters, start, _, duration, _ = arguments
    found = fused.predict(phoenix, parameters, start, duration, steps)
    assert torch.allclose(found, rk4.predict(phoenix, parameters, start, duration, steps), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("models", "rows", "genes", "hidden"), [*SIZES, (1, 1000, 350, 40)])
def test_the_error_of_the_production_is_differentiated_as_by_autograd(models, rows, genes, hidden):
    parameters, states, wanted, _, _ = problem(models, rows, genes, hidden)
    wanted = wanted.mT.contiguous().mT  # as the product of a sparse matrix is
    leaves = {name: part.requires_grad_() for name, part in parameters.items() if name != "v"}
    slope = torch.arange(1.0, models + 1)
    found, expected = (
        (value.detach(), dict(zip(leaves, torch.autograd.grad(value, list(leaves.values()), slope), strict=True)))
        for value in (part.production_error(phoenix, parameters, states, wanted) for part in (fused, rk4))
    )
    assert_same(found, expected)


@pytest.mark.parametrize("density", [1, 0.04])
@pytest.mark.parametrize("rows", [1, 4, 7, 16])
def test_transitions_of_different_length_take_steps_of_one_size(rows, density):
    """Every row is solved with as many steps as it is due, and the loss is the mean over the rows."""
    parameters, start, end, duration, weight = problem(1, rows, durations=(2.0, 1.0, 4.0, 1.3, 0.0, 0.01))
    masks = random_masks(parameters, density)
    longest = float(duration.max())
    value, total = 0.0, {name: torch.zeros_like(part) for name, part in parameters.items()}
    for row in range(rows):
        own = slice(row, row + 1)
        alone = start[:, own], end[:, own], duration[:, own], weight[:, own]
        steps = [min(8, int(np.ceil(8 * float(duration[0, row]) / longest)) + 3)]
        part, gradients = rk4.value_and_gradient(phoenix, parameters, *alone, steps)
        value = value + part / rows
        for name, gradient in gradients.items():
            total[name] += gradient / rows
        found = fused.predict(phoenix, parameters, start, duration, [8])[:, own]
        expected = rk4.predict(phoenix, parameters, start[:, own], duration[:, own], steps)
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)
    found = fused.value_and_gradient(phoenix, parameters, start, end, duration, weight, [8], masks)
    assert_same(found, masked((value, total), masks))


@pytest.mark.parametrize("density", [0, 0.02, 0.15, 0.5])
@pytest.mark.parametrize("rows", [1, 5, 16, 17, 32, 70])
def test_predictions_with_the_weights_left_are_those_of_all(rows, density):
    parameters, start, _, duration, _ = problem(2, rows, 61, 9, durations=(1.0, 0.0, 0.3))
    random_masks(parameters, density)
    found = fused.predict(phoenix, parameters, start, duration, [6, 4])
    for place, lasts in enumerate((1.0, 0.0, 0.3)):
        own = slice(place, None, 3)
        for model, most in enumerate((6, 4)):
            one = {name: part[model : model + 1] for name, part in parameters.items()}
            steps = [min(most, int(np.ceil(most * lasts)) + 3)]  # as `fused` says
            expected = rk4.predict(phoenix, one, start[model : model + 1, own], duration[model : model + 1, own], steps)
            assert torch.allclose(found[model, own], expected[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("density", [0, 0.02, 0.1, 0.5, 1])
@pytest.mark.parametrize("rows", [1, 3, 4, 6, 16, 21])
def test_masked_weights_have_no_gradient_and_change_nothing_else(rows, density):
    arguments = problem(2, rows, 61, 9)
    masks = random_masks(arguments[0], density)
    expected = masked(rk4.value_and_gradient(phoenix, *arguments, [4, 3]), masks)
    assert_same(fused.value_and_gradient(phoenix, *arguments, [4, 3], masks), expected)


def test_masks_may_change_between_calls():
    arguments = problem(2)
    for density in (1, 0.05, 0.01):
        masks = random_masks(arguments[0], density)
        expected = masked(rk4.value_and_gradient(phoenix, *arguments, [4, 3]), masks)
        assert_same(fused.value_and_gradient(phoenix, *arguments, [4, 3], masks), expected)


@pytest.mark.parametrize("density", [1, 0.04])
def test_rows_of_weight_zero_count_for_nothing(density):
    parameters, start, end, duration, weight = problem(2, 6)
    masks = random_masks(parameters, density)
    weight[0, 1] = weight[0, 4] = 0
    duration[0, 1] = 100
    start[0, 4] = torch.nan
    found = fused.value_and_gradient(phoenix, parameters, start, end, duration, weight, [4, 4], masks)
    kept = [0, 2, 3, 5]
    first = {name: part[:1] for name, part in parameters.items()}
    arguments = first, start[:1, kept], end[:1, kept], duration[:1, kept], weight[:1, kept], [4]
    expected = masked(rk4.value_and_gradient(phoenix, *arguments), {name: part[:1] for name, part in masks.items()})
    assert_same((found[0][:1], {name: part[:1] for name, part in found[1].items()}), expected)


def test_parameters_may_be_views_and_rows_may_be_shared():
    parameters, start, end, duration, weight = problem(3)
    shapes = phoenix.shapes(30, 5)
    views = ensemble.unpack(ensemble.pack(parameters), shapes)
    one = [part[:1].expand(3, *part.shape[1:]) for part in (start, end, duration, weight)]
    found = fused.value_and_gradient(phoenix, views, *one, [4, 3, 2])
    assert_same(found, rk4.value_and_gradient(phoenix, parameters, *one, [4, 3, 2]))
    assert torch.equal(found[1].rows, ensemble.pack(dict(found[1])))
    turned = {name: part.mT.contiguous().mT if part.ndim == 3 else part for name, part in parameters.items()}
    assert_same(fused.value_and_gradient(phoenix, turned, *one, [4, 3, 2]), found, 0)


@pytest.mark.parametrize("density", [1, 0.04])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e30])
def test_what_is_not_finite_comes_out_as_not_finite(bad, density):
    parameters, start, end, duration, weight = problem(1, 5)
    masks = random_masks(parameters, density)
    start[0, 3, 7] = bad
    end = fused.predict(phoenix, parameters, start, duration, [4])
    assert torch.isfinite(end[0, :3]).all()
    value, _ = fused.value_and_gradient(phoenix, parameters, start, 0 * start, duration, weight, [4], masks)
    assert not torch.isfinite(value).any()


def test_a_model_that_diverges_is_noticed():
    parameters, *rest = problem()
    parameters["b_p"] += 100
    value, _ = fused.value_and_gradient(phoenix, parameters, *rest, [4])
    assert not torch.isfinite(value).any()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("density", [None, 0.5, 0.03])
def test_adam_makes_the_steps_of_the_ensemble(shared, density):
    generator = torch.Generator().manual_seed(3)
    models, size = 2, 1003
    mask = None if density is None else torch.rand(models, size, generator=generator) < density
    start = torch.randn(models, size, generator=generator) * (1 if mask is None else mask)
    ours, theirs = ([start.clone(), torch.zeros(models, size), torch.zeros(models, size)] for _ in range(2))
    rates = torch.full((models, 1 if shared else size), 1e-2)
    for update in range(1, 6):
        gradient = torch.randn(models, size, generator=generator)
        updates = torch.tensor([update, 2 * update])
        fused.adam_step(ours[0], gradient, *ours[1:], rates, updates, mask)
        ensemble.adam_step(theirs[0], gradient, *theirs[1:], rates, updates, 1 if mask is None else mask)
    for found, expected in zip(ours, theirs, strict=True):
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_other_fields_and_numbers_are_passed_on():
    parameters, *rest = problem()
    double = {name: part.double() for name, part in parameters.items()}
    others = [part.double() for part in rest]
    assert fused.value_and_gradient(phoenix, double, *others, [4])[0].dtype == torch.float64
    deep = perceptrons(1, 30, [5, 4])
    expected = rk4.value_and_gradient(mlp, deep, *rest, [4])
    assert torch.equal(fused.value_and_gradient(mlp, deep, *rest, [4])[0], expected[0])


def perceptrons(models, genes, hidden):
    """Perceptrons away from their start."""
    drawn = [mlp.initialise(seed, genes, hidden) for seed in range(models)]
    generator = torch.Generator().manual_seed(3)
    parameters = {name: torch.tensor(np.stack([one[name] for one in drawn])).float() for name in drawn[0]}
    return {name: part + 0.05 * torch.randn(part.shape, generator=generator) for name, part in parameters.items()}


@pytest.mark.parametrize(("models", "rows", "genes", "hidden"), SIZES)
def test_perceptrons_are_solved_as_by_autograd(models, rows, genes, hidden):
    parameters = perceptrons(models, genes, hidden)
    _, *rest = problem(models, rows, genes, hidden, durations=(2.0, 1.0, 4.0))
    rest[-1][:, 0] = rows == 1  # a row of padding
    rest[1] = rest[1].mT.contiguous().mT  # is copied, and the copy must live as long as the kernel reads it
    arguments, steps = [parameters, *rest], [5, 4, 2][:models]
    found = fused.value_and_gradient(mlp, *arguments, steps)
    assert_same(found, rk4.autograd_value_and_gradient(mlp, *arguments, steps))
    assert isinstance(found[1], fused.Gradients)


@pytest.mark.parametrize("variant", runnable())
def test_perceptrons_are_the_same_with_all_instructions(monkeypatch, variant):
    parameters = perceptrons(2, 75, 11)
    _, *rest = problem(2, 7, 75, 11, durations=(2.0, 1.0, 4.0))
    expected = rk4.autograd_value_and_gradient(mlp, parameters, *rest, [6, 6])
    library = fused._load(fused._compiled("mlp_kernel", variant))
    monkeypatch.setattr(fused, "_library", lambda name: library)
    assert_same(fused.value_and_gradient(mlp, parameters, *rest, [6, 6]), expected)


def test_shapes_that_do_not_fit_are_named():
    parameters, start, end, duration, weight = problem()
    with pytest.raises(ValueError, match="do not fit"):
        fused.predict(phoenix, parameters, start[..., 1:].contiguous(), duration, [4])
    with pytest.raises(ValueError, match="end"):
        fused.value_and_gradient(phoenix, parameters, start, end[:, 1:], duration, weight, [4])
    with pytest.raises(ValueError, match=r"end.*\(1, 3, 30\)"):
        fused.value_and_gradient(mlp, perceptrons(1, 30, 5), start, end[:, 1:], duration, weight, [4])


@pytest.mark.parametrize("rows", [4, 7, 40])
@pytest.mark.parametrize("density", [1, 0.04])
def test_all_sets_of_instructions_give_the_same(monkeypatch, rows, density):
    arguments = problem(1, rows, 75, 11, durations=(2.0, 1.0, 4.0))
    masks = random_masks(arguments[0], density)
    parameters, start, _, duration, _ = arguments
    expected = fused.value_and_gradient(phoenix, *arguments, [6], masks)
    predicted = fused.predict(phoenix, parameters, start, duration, [6])
    for variant in runnable():
        library = fused._load(fused._compiled("phoenix_kernel", variant))
        monkeypatch.setattr(fused, "_kernel", lambda library=library: library)
        assert_same(fused.value_and_gradient(phoenix, *arguments, [6], masks), expected)
        found = fused.predict(phoenix, parameters, start, duration, [6])
        assert torch.allclose(found, predicted, rtol=1e-5, atol=1e-6)


def test_processes_that_start_together_compile_once(tmp_path, monkeypatch):
    compiler = tmp_path / "compiler"
    compiler.write_text(
        f"#!/bin/sh\necho >> {tmp_path}/calls\nsleep 0.3\nwhile [ $1 != -o ]; do shift; done\necho > $2\n"
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", str(compiler))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=fused._compiled, args=("phoenix_kernel", "plain")) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert fused._compiled("phoenix_kernel", "plain").exists()
    assert len((tmp_path / "calls").read_text().splitlines()) == 1
    folders = [entry for entry in (tmp_path / "kinetrain").iterdir() if entry.is_dir()]
    assert folders == [fused._compiled("phoenix_kernel", "plain").parent]


def test_without_a_compiler_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match=r"no-such-compiler.*Install.*rk4"):
        fused._compiled("phoenix_kernel", "plain")
    monkeypatch.setenv("CXX", "c++ --no-such-flag")
    with pytest.raises(InputError, match=r"cannot be compiled(?s:.)*no-such-flag"):
        fused._compiled("phoenix_kernel", "plain")


def test_an_epoch_refuses_what_does_not_fit():
    shapes = phoenix.shapes(6, 3)
    size = sum(int(np.prod(shape)) for shape in shapes.values())
    row = torch.zeros(size)
    data = [torch.zeros(4, 6), torch.zeros(4, 6), torch.ones(4)]
    rest = [torch.ones(size, dtype=torch.bool), torch.ones(1), 0, data]
    batches = [np.array([0, 1]), np.array([2, 3])]
    assert fused.train_epoch(shapes, row, (row.clone(), row.clone()), *rest, batches, 4, 0.001) == 0
    with pytest.raises(ValueError, match="do not fit"):
        fused.train_epoch(shapes, row[:-1], (row, row), *rest, batches, 4, 0.001)
    with pytest.raises(ValueError, match="do not fit"):
        fused.train_epoch(shapes, row, (row, row), *rest, [np.array([4])], 4, 0.001)
    with pytest.raises(ValueError, match="contiguous float32"):
        fused.train_epoch(shapes, row.double(), (row, row), *rest, batches, 4, 0.001)
