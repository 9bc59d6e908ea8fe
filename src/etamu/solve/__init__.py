"""Optimisation over vectors: one oracle, one loop, several rules of direction; no statistics."""
