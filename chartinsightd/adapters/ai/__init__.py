"""Providers of language models, over plain HTTP."""
