"""The listener for browsers and programs of this machine: the page /radar/ and the API for reading.

It is a second door beside the control socket and knows less: the operations of `control.radar_operations`
that are marked for it, and nothing else. It listens on the loopback interface alone, and whoever comes needs
a session that `chartinsightctl radar` began.
"""
