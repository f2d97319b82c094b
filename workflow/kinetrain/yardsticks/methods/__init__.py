"""The yardsticks, one file each: a function `infer`, and LABEL, REFERENCE, USES_PRIOR and MOST_WORK.

MOST_WORK is the largest number of genes squared times transitions that takes about a quarter of an hour.
"""
