"""Notes on stocks in which every figure is a stored row. Pure: facts and a model's answer in, sentences out.

docs/notes.md tells the scheme: code builds a table of facts, a model may only point at them, and whatever it
writes beside is checked before anyone reads it.
"""
