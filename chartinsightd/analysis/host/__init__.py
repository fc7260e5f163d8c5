"""The pure half of the plug-in host: reading a strategy's source, and proving it before it is used.

An endless loop, a hunger for memory and a call into the system are contained by the process that this runs
in.
"""
