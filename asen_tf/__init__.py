"""Attribute-specific embeddings of fashion photographs."""
