// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import javax.telephony.events.Ev;

/** What is known of an agent at a terminal. States are those of {@code javax.telephony.callcenter.Agent}. */
public final class AgentRecord {
    static final int UNKNOWN = 0;
    static final int LOG_IN = 1;
    static final int LOG_OUT = 2;
    static final int NOT_READY = 3;
    static final int READY = 4;
    static final int WORK_NOT_READY = 5;
    static final int WORK_READY = 6;
    static final int BUSY = 7;

    public final Station station;
    public final String id;
    private final PeerProvider provider;
    private final Object shown;
    private volatile Reading reading = new Reading(UNKNOWN, 0, 0, UNKNOWN, -1, -1);

    /**
     * An agent's state as one.
     *
     * @param workMode 0 none, 1 auto-in, 2 manual-in
     * @param pendingState 0 for none
     * @param lucentWorkMode -1 none, 1 aux, 2 after call, 3 auto-in, 4 manual-in
     */
    public record Reading(
        int state, int workMode, int reason, int pendingState, int pendingReason, int lucentWorkMode) {
        Reading in(int another) {
            return new Reading(another, workMode, reason, pendingState, pendingReason, lucentWorkMode);
        }
    }

    AgentRecord(PeerProvider provider, Station station, String id) {
        this.provider = provider;
        this.station = station;
        this.id = id;
        shown = provider.maker.agent(this);
    }

    /** What stands for it towards applications. */
    public Object shown() {
        return shown;
    }

    public Agents agents() {
        return provider.agents;
    }

    Reading reading() {
        return reading;
    }

    int state() {
        return reading.state;
    }

    void is(Reading found) {
        reading = found;
    }

    /** The event of its present state. */
    Happening happening(int cause) {
        return happening(eventOf(reading.state), cause);
    }

    Happening happening(int event, int cause) {
        Happening told = new Happening(event);
        told.agent = this;
        told.terminal = station.terminal;
        told.cause = cause;
        told.meta = cause == Ev.CAUSE_SNAPSHOT ? Ev.META_SNAPSHOT : Ev.META_UNKNOWN;
        return told;
    }

    static int eventOf(int state) {
        return switch (state) {
            case LOG_IN -> 310;
            case LOG_OUT -> 309;
            case NOT_READY -> 311;
            case READY -> 312;
            case WORK_NOT_READY -> 314;
            case WORK_READY -> 315;
            case BUSY -> 308;
            default -> 313;
        };
    }
}
