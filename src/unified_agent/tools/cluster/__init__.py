"""``unified-agent cluster``: see and steer all instances, from a terminal, through any of them.

- ``command``: the commands with their options.
- ``access``: which instance is asked, and as whom. ``door``: the requests, and refusals as sentences.
- ``table``: how the cluster is, for a person. ``advice``: what to look at, and what to do about it.
- ``course``: how far a drain or a change of the active datacentre is.
- ``screen``: what is drawn again in its place on a terminal, and printed once per change elsewhere.
"""
