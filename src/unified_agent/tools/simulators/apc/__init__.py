"""A simulated Proactive Contact dialler, usable without the rest: ``python -m unified_agent.tools.simulators.apc``.

The model is pure: time and chance come in, effects come out.

- ``plan``: what the dialler is: agents, jobs, customers, traffic; read from TOML. ``sample.toml`` is the default.
- ``records``: calling lists and their invented customers.
- ``seats``: one connection with its agent, headset, job and call.
- ``floor``: all seats and jobs, the clock's heap, and how a seat is answered.
- ``legality``: which command is legal in which state, and the error where it is not.
- ``logon_desk``, ``job_desk``, ``field_desk``, ``item_desk``, ``line_desk``, ``search_desk``: the commands, by what
  they are about.
- ``callbacks``: dates and times of callbacks.
- ``calls``: arrivals, delivery, hang-ups, the way out of a job.
- ``happenings``: what a supervisor, a customer or a fault does to the floor.
- ``truth``: what the dialler knows, as plain data.
- ``dialler``: the door to all of it.

Around it the shell, with what is in ``simulators.shell``:

- ``client_socket``: one socket.
- ``server``: sockets in front of the model; going down and coming back.
- ``control``, ``control_world``, ``control_messages``: the control port.
- ``command``: options and the running of both.
"""
