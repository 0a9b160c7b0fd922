// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.telephony.Connection;
import javax.telephony.TerminalConnection;
import javax.telephony.callcontrol.CallControlConnection;
import javax.telephony.callcontrol.CallControlTerminalConnection;

/** Collects what happens to calls because of one message. */
final class Round {
    private static final Map<Integer, Integer> CORE_CONNECTION = Map.of(
        Connection.INPROGRESS, 109, Connection.ALERTING, 104, Connection.CONNECTED, 105, Connection.DISCONNECTED, 107,
        Connection.FAILED, 108, Connection.UNKNOWN, 110);
    private static final Map<Integer, Integer> CONTROL_CONNECTION = Map.of(
        CallControlConnection.OFFERED, 211, CallControlConnection.QUEUED, 212, CallControlConnection.ALERTING, 203,
        CallControlConnection.INITIATED, 208, CallControlConnection.NETWORK_REACHED, 210,
        CallControlConnection.ESTABLISHED, 206, CallControlConnection.DISCONNECTED, 205,
        CallControlConnection.FAILED, 207, CallControlConnection.UNKNOWN, 213);
    private static final Map<Integer, Integer> CORE_LEG = Map.of(
        TerminalConnection.RINGING, 119, TerminalConnection.ACTIVE, 115, TerminalConnection.DROPPED, 117,
        TerminalConnection.UNKNOWN, 120);
    private static final Map<Integer, Integer> CONTROL_LEG = Map.of(
        CallControlTerminalConnection.RINGING, 218, CallControlTerminalConnection.TALKING, 219,
        CallControlTerminalConnection.HELD, 216, CallControlTerminalConnection.DROPPED, 215,
        CallControlTerminalConnection.UNKNOWN, 220);

    final List<Happening> happenings = new ArrayList<>();

    void call(int id, PeerCall call) {
        happenings.add(new Happening(id, call));
    }

    void created(PeerConnection connection) {
        of(106, connection);
    }

    /** A connection is in its state now. */
    void connection(PeerConnection connection) {
        of(CORE_CONNECTION.get(connection.getState()), connection);
        control(connection);
    }

    /** It is in another of call control's states, which the core package does not tell apart. */
    void control(PeerConnection connection) {
        of(CONTROL_CONNECTION.get(connection.control), connection);
    }

    void legCreated(PeerTerminalConnection leg) {
        of(116, leg);
    }

    void leg(PeerTerminalConnection leg) {
        of(CORE_LEG.get(leg.getState()), leg);
        legControl(leg);
    }

    void legControl(PeerTerminalConnection leg) {
        of(CONTROL_LEG.get(leg.control), leg);
    }

    private void of(Integer id, PeerConnection connection) {
        if (id != null) {
            Happening told = new Happening(id, connection.call);
            told.connection = connection;
            told.waiting = 1;
            happenings.add(told);
        }
    }

    private void of(Integer id, PeerTerminalConnection leg) {
        if (id != null) {
            Happening told = new Happening(id, leg.connection.call);
            told.leg = leg;
            told.connection = leg.connection;
            happenings.add(told);
        }
    }

    /** Everything, for this reason. */
    List<Happening> all(int meta, int cause, int controlCause) {
        for (Happening each : happenings) {
            each.meta = meta;
            each.cause = cause;
            each.controlCause = controlCause;
        }
        return happenings;
    }
}
