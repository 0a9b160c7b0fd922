"""The other instances: who lives, who owns which agent, which datacentre serves.

Decisions are pure: time is an argument, what is to be done comes back as data.

- ``transactions``: one change of the store as data: what must still be true, and what is then written.
- ``heartbeats``: what instances tell each other. ``detector``: from it, each one alive, suspect or dead.
- ``ownership``: claims on agents and stations with growing terms. ``tenure``: until when an instance may act on them.
- ``activation``: may this datacentre serve now?

Shells carry them out:

- ``stores``: the store that all instances share, behind one interface.
- ``peers``: links to all other instances, to tell and to ask. Each that we dial is a ``peer_link``; those made to
  us come through the ``peer_door``; ``peer_answers`` runs what others ask. What is said is in ``peer_messages``, how
  in ``wire.peer``; who we are in ``peer_identity`` and ``peer_tls``.
- ``cluster``: all parts of one instance joined; ``values``: what stands under its keys.
- ``members``: our place among the others. ``registration`` keeps our key on its lease, ``lives`` knows each time that
  was done, ``roll`` who else is registered, ``listings`` whom we would ask; ``ending`` proves that it is over, and
  ``guarded`` tells our guardian what it would have to prove.
- ``registry``: who owns which agent. ``claiming`` asks for claims, ``holdings`` has those that count, ``releasing``
  gives them up; ``records`` are claims as they stand in the store, ``carries`` what a session leaves to its next owner.
- ``orphans``: agents of a lost instance whose desktop does not come.
- ``activator``: serves, prepares, stands down. ``whereabouts``: where desktops may go.
"""
