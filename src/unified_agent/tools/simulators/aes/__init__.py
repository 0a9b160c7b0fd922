"""A simulated AES with a Communication Manager behind it.

The switch, pure:
    plan            what there is: stations, agents, groups, rules
    events          what happens, as plain values per device
    refusals        why a command is not performed
    calls           calls and legs, call ids
    agents          agents, and which changes of mode are allowed
    hunt_groups     queues, and who has been idle longest
    timers          what is due later
    switchboard     everything remembered, and the moves everything is made of
    agent_desk      commands of agents, and what follows a call
    routing         where calls go
    call_control    commands on one call
    call_joining    commands on two calls, or on a call and a new party
    switch          all of it as one object with a clock that is told

Around it, pure as well:
    traffic         callers
    sessions        application sessions and monitors
    event_messages  switch events as CSTA events
    requests        CSTA requests on the switch
    aes             sessions, devices, monitors, system status, the link to the switch
    simulator       switch, callers and AES on one clock
    truth           what is true, as JSON values

The shell, with what is in ``simulators.shell``:
    client_socket   one socket
    server          sockets in front of the simulator
    control         the HTTP control port (its messages: control_messages)
    plan_file       the TOML file
    command         options, and the program
"""
