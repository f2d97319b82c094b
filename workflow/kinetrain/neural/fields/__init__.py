"""Vector fields, one file each: the functions of `mlp`. A new file is a new field.

Without a `value_and_gradient` of its own a field is differentiated by autograd through the Runge-Kutta steps.
"""

from kinetrain import registry

known_fields, find_field = registry.plugins(__name__, "model")
