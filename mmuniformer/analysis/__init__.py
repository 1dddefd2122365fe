"""Complexity and throughput; scripts in ``tools/analysis`` call it."""
