"""The listener for browsers and programs of this machine: the page /radar/ and the API for reading.

A second listener beside the control socket, with fewer operations: those of `control.radar_operations` that
are marked for it, and no others. It listens on the loopback interface only, and every request needs a session
that `chartinsightctl radar` began.
"""
