"""What is true, and what follows from it: pure, immutable, timed by arguments.

Four kinds of data move in one loop: a **command** is asked by a desktop, a **fact** is reported from outside, an
**effect** is to be done, a **notice** is told to a desktop.

- ``ids``: the identifiers of everything, and who mints them.
- ``commands``, ``facts``, ``effects``, ``notices``: those four kinds.
- ``agent``: the switch's work modes and their expected moves; the work mode shown.
- ``call``: calls at one station.
- ``job``: the dialler's half of an agent: logon, job, work item.
- ``states``: closed sets of words. ``login``: the steps of logging in, as the desktop shows them.
- ``session_state``: one agent's whole state. ``session``: the machine that moves it; its parts are ``telephony_steps``,
  ``dialler_steps``, ``dialler_steering`` and ``command_steps``, each on a ``move``, one step under way.
- ``permissions``: what may be asked now, and if not, why.
- ``reconcile``: what we believed and a fresh snapshot, brought together.
- ``view``: everything a desktop may see, as JSON.
- ``selection``: which instance should take this agent.
- ``backoff``, ``limits``, ``ports``: waiting, bounds, and what the rooms above ask of the rooms beside them.
"""
