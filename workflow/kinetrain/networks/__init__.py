"""Gene networks: priors, gold standards, effect matrices, edge scores and control predictors.

Every network is a (k, k) array with entry [target, regulator].
"""
