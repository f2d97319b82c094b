"""The engines of PEtab problems, the kinetics kernel and AMICI: the choice between them, and opening a problem.

The choice is made once for each problem, when its solver settings are measured (`choose`); all later steps open the
problem with what was chosen (`open_problem`). Before a choice is made AMICI solves it, so that artificial data do not
come from the engine that they test.
"""

from dataclasses import replace

from kinetrain.compiler import CompilerError
from kinetrain.errors import InputError
from kinetrain.mechanistic.solver_options import SolverOptions

OTHERS = "with 'engine: auto' or 'engine: amici' AMICI solves it"


def open_problem(path, model_folder, options: SolverOptions | None = None, tables=None):
    """Return a PEtab problem (`problem.SumOverConditions`) as `options.engine` solves it; `auto` is AMICI.

    The other arguments are those of `PetabProblem`. AMICI is not imported where a kernel is cached.

    Raises
    ------
    InputError
        If the problem cannot be read, its model was not compiled, or the kernel is not available.
    """
    if options is not None and options.engine == "kernel":
        from kinetrain.mechanistic.kernel.problem import KernelProblem

        return KernelProblem(path, options, tables)
    from kinetrain.mechanistic.petab_problem import PetabProblem

    return PetabProblem(path, model_folder, options, tables)


def require(path, engine: str) -> None:
    """Raise InputError if `engine` is `kernel`, and it does not support a PEtab problem; nothing is compiled."""
    if engine != "kernel":
        return
    from kinetrain.mechanistic.kernel.graph import KernelUnsupportedError
    from kinetrain.mechanistic.kernel.preparation import generate
    from kinetrain.mechanistic.petab_reader import read_petab

    try:
        generate(path, read_petab(path))
    except KernelUnsupportedError as error:
        raise InputError(f"{error}; {OTHERS}") from None


def choose(path, model_folder, options: SolverOptions | None = None) -> dict:
    """Return the engine of a problem and the reason (`engine`, `reason`), with all measurements behind the choice.

    Values that are set in `options` are kept. `auto` takes the kernel unless it does not support the model, cannot be
    compiled, or was found wrong (`kernel_choice.choose`); otherwise the rest is what `solver_choice.choose` returns.

    Raises
    ------
    InputError
        As these do; if `engine` is `kernel`, also where `auto` would take AMICI.
    """
    from kinetrain.mechanistic import solver_choice

    options = options or SolverOptions()
    reason = "as the configuration says"
    if options.engine == "auto" and options.trials > 1:
        reason = "the kernel does not try failed solves again ('trials')"
    elif options.engine != "amici":
        from kinetrain.mechanistic import kernel_choice
        from kinetrain.mechanistic.kernel.graph import KernelUnsupportedError

        try:
            choice = kernel_choice.choose(path, model_folder, options)
            found_right = "it supports the model and agrees with AMICI"
            return {"engine": "kernel", "reason": reason if options.engine == "kernel" else found_right, **choice}
        except (CompilerError, KernelUnsupportedError, kernel_choice.KernelWrongError) as error:
            if options.engine == "kernel":
                raise InputError(f"{error}; {OTHERS}") from None
            reason = str(error)
    choice = solver_choice.choose(path, model_folder, replace(options, engine="amici"))
    return {"engine": "amici", "reason": reason, **choice}
