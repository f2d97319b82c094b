"""The kinetics kernel: values and gradients of PEtab problems by code made for their model.

`KernelProblem` (problem.py) stands in for `PetabProblem`. model.py reads AMICI's symbolic model into a graph of
expressions (graph.py, translation.py), generate.py and elimination.py write its functions, derivatives (derivatives.py)
and LU decomposition as straight-line C++ (straight_line.py), kernel.cpp integrates many conditions in SIMD lanes
(lanes.hpp) by a Rosenbrock method (rodas.hpp) and differentiates what it did, build.py compiles and keeps the result.
"""
