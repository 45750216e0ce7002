"""Bring models, texts and probe sets into the cache, checked against their pins."""
