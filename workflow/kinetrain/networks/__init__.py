"""Gene networks: effect matrices, scores against gold standards, and control predictors.

Every network is a (k, k) array with entry [target, regulator].
"""
