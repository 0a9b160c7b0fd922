// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Logs agents in and out and changes their state; remembers them, and may trust its memory too much. */
public final class Agents {
    private static final Map<String, Integer> STATES = Map.of(
        "agentNull", AgentRecord.LOG_OUT, "agentNotReady", AgentRecord.NOT_READY, "agentReady", AgentRecord.READY,
        "agentBusy", AgentRecord.BUSY, "agentWorkingAfterCall", AgentRecord.WORK_NOT_READY,
        "notReady", AgentRecord.NOT_READY, "ready", AgentRecord.READY);
    private static final Map<String, Integer> LUCENT_MODES = Map.of(
        "auxWork", 1, "afterCallWork", 2, "autoIn", 3, "manualIn", 4);
    private static final Map<String, Integer> EVENTS = Map.of(
        "AgentLoggedOnEvent", AgentRecord.LOG_IN, "AgentLoggedOffEvent", AgentRecord.LOG_OUT,
        "AgentNotReadyEvent", AgentRecord.NOT_READY, "AgentReadyEvent", AgentRecord.READY,
        "AgentBusyEvent", AgentRecord.BUSY, "AgentWorkingAfterCallEvent", AgentRecord.WORK_NOT_READY);

    private static final Set<Integer> BEGINNINGS = Set.of(AgentRecord.LOG_IN, AgentRecord.NOT_READY, AgentRecord.READY);

    private final PeerProvider provider;
    private final boolean trusting;
    private final boolean told;
    private final boolean asking;
    private final Map<String, AgentRecord> known = new LinkedHashMap<>();

    Agents(PeerProvider provider) {
        this.provider = provider;
        trusting = provider.parameters.is("x-agent-cache", "on");
        told = !provider.parameters.is("x-agent-events", "off");
        asking = provider.parameters.is("x-get-state", "ask");
    }

    private static String key(Station station, String id) {
        return station.number + "/" + id;
    }

    private AgentRecord record(Station station, String id) {
        return known.computeIfAbsent(key(station, id), each -> new AgentRecord(provider, station, id));
    }

    /** Log an agent in. Where memory is trusted, one that is known is given back and nobody is asked. */
    public AgentRecord logIn(Station station, String id, String password, int initialState, int workMode, int reason) {
        provider.mustBeInService();
        station.mustExist();
        if (!BEGINNINGS.contains(initialState)) {
            throw wrong("an agent cannot begin in state " + initialState);
        }
        synchronized (provider) {
            AgentRecord old = known.get(key(station, id));
            if (trusting && old != null) {
                return old;
            }
        }
        boolean ready = initialState == AgentRecord.READY;
        String mode = !ready ? "auxWork" : workMode == 2 ? "manualIn" : "autoIn";
        AgentRecord[] made = new AgentRecord[1];
        String request = Requests.setAgentState(
            station.device(), "loggedOn", id, password == null ? "" : password, mode, ready ? null : given(reason),
            false);
        provider.ask(request, answer -> {
            made[0] = record(station, id);
            int state = ready ? AgentRecord.READY : AgentRecord.NOT_READY;
            made[0].is(new AgentRecord.Reading(
                state, ready ? Math.max(1, workMode) : 0, ready ? 0 : reason, 0, -1, LUCENT_MODES.get(mode)));
            station.agent = made[0];
        });
        return made[0];
    }

    private static Integer given(int reason) {
        return reason > 0 ? reason : null;
    }

    private RuntimeException wrong(String words) {
        return provider.maker.raise(Kind.INVALID_ARGUMENT, Errors.JTAPI, 0, words);
    }

    /** Log an agent out. The memory of it goes, whatever AES says (assumed). */
    public void logOut(AgentRecord agent, int reason) {
        try {
            provider.ask(Requests.setAgentState(
                agent.station.device(), "loggedOff", agent.id, null, null, given(reason), false));
        } finally {
            synchronized (provider) {
                forget(agent);
            }
        }
    }

    private void forget(AgentRecord agent) {
        known.remove(key(agent.station, agent.id), agent);
        if (agent.station.agent == agent) {
            agent.station.agent = null;
        }
    }

    /** Change a state; returns whether the switch holds it until the call ends. */
    public boolean set(AgentRecord agent, int state, int workMode, int reason, boolean mayWait) {
        AgentRecord.Reading was = agent.reading();
        if (trusting && was.state() == state && was.workMode() == workMode && was.reason() == reason) {
            return false;
        }
        String mode = workMode == 1 ? "autoIn" : workMode == 2 ? "manualIn" : null;
        String wanted = switch (state) {
            case AgentRecord.READY -> "ready";
            case AgentRecord.NOT_READY -> "notReady";
            case AgentRecord.WORK_NOT_READY, AgentRecord.WORK_READY -> "workingAfterCall";
            default -> throw wrong("an agent cannot be put into state " + state);
        };
        Node answer = provider.ask(Requests.setAgentState(
            agent.station.device(), wanted, agent.id, null, state == AgentRecord.READY ? mode : null,
            state == AgentRecord.NOT_READY ? given(reason) : null, mayWait));
        return "true".equals(answer.textOf("isPending"));
    }

    /** Whoever is logged in at a terminal; asks AES. An agent that memory is trusted with stays in it, logged out. */
    public List<AgentRecord> at(Station station) {
        station.mustExist();
        List<AgentRecord> all = new ArrayList<>();
        provider.ask(Requests.agentState(station.device()), answer -> {
            AgentRecord there = read(station, answer);
            for (AgentRecord each : new ArrayList<>(known.values())) {
                if (each.station == station && each != there) {
                    if (!trusting) {
                        forget(each);
                    } else {
                        each.is(each.reading().in(AgentRecord.LOG_OUT));
                        all.add(each);
                    }
                }
            }
            station.agent = there;
            if (there != null) {
                all.add(there);
            }
        });
        return all;
    }

    private AgentRecord read(Station station, Node answer) {
        String id = answer.textOf("agentID");
        if (id == null || !"true".equals(answer.textOf("loggedOnState"))) {
            return null;
        }
        AgentRecord agent = record(station, id);
        int state = STATES.getOrDefault(String.valueOf(answer.textOf("agentState")), AgentRecord.UNKNOWN);
        if (state == AgentRecord.READY && "onCall".equals(answer.textOf("talkState"))) {
            state = AgentRecord.BUSY;
        }
        int lucent = LUCENT_MODES.getOrDefault(String.valueOf(answer.textOf("workMode")), -1);
        agent.is(new AgentRecord.Reading(
            state,
            Math.max(0, lucent - 2),
            number(answer.textOf("reasonCode"), 0),
            STATES.getOrDefault(String.valueOf(answer.textOf("pendingAgentState")), AgentRecord.UNKNOWN),
            number(answer.textOf("pendingReasonCode"), -1),
            lucent));
        return agent;
    }

    private static int number(String text, int otherwise) {
        return text == null ? otherwise : Integer.parseInt(text);
    }

    /** An agent's state: out of memory, or from AES where that is wanted or no event tells of changes. */
    public int state(AgentRecord agent) {
        return told && !asking ? agent.state() : fresh(agent).state();
    }

    /** An agent's state from AES. */
    public AgentRecord.Reading fresh(AgentRecord agent) {
        return at(agent.station).contains(agent) ? agent.reading() : agent.reading().in(AgentRecord.LOG_OUT);
    }

    /** Take an agent event of a station's monitor. */
    void take(Station station, Node event) {
        Integer state = EVENTS.get(event.name);
        String id = event.textOf("agentID");
        if (state == null || id == null || !told) {
            return;
        }
        AgentRecord agent = record(station, id);
        AgentRecord.Reading was = agent.reading();
        int lucent = state == AgentRecord.NOT_READY ? 1 : state == AgentRecord.WORK_NOT_READY ? 2
            : state == AgentRecord.READY && was.lucentWorkMode() < 3 ? -1 : was.lucentWorkMode();
        agent.is(new AgentRecord.Reading(
            state,
            Math.max(0, lucent - 2),
            number(event.textOf("reasonCode"), 0),
            STATES.getOrDefault(String.valueOf(event.textOf("pendingAgentState")), AgentRecord.UNKNOWN),
            number(event.textOf("pendingReasonCode"), -1),
            lucent));
        station.agent = agent;
        Happening told = agent.happening(Causes.NORMAL);
        String reason = event.textOf("reasonCode");
        told.privateData = reason == null ? null : provider.maker.privateReason(Integer.parseInt(reason));
        if (state == AgentRecord.LOG_OUT) {
            forget(agent);
        }
        provider.tell(station.terminalObservers, List.of(told));
    }
}
