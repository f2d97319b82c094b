"""Enrichment: influence of genes, and tests of gene sets."""
