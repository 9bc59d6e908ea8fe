"""One observation: families, links, and the unit that pairs them; imports only `_base`."""
