"""Columns: blocks of rows, their cross products, the coordinates they are solved in, and the chunk."""
