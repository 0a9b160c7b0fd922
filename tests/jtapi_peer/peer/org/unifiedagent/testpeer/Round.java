// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.telephony.CallObserver;
import javax.telephony.Connection;
import javax.telephony.TerminalConnection;
import javax.telephony.callcontrol.CallControlConnection;
import javax.telephony.callcontrol.CallControlTerminalConnection;

/** What happens to calls because of one message, and who is told of it. */
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

    private final List<Happening> happenings = new ArrayList<>();
    private final Map<CallObserver, List<Happening>> newcomers = new IdentityHashMap<>();
    private final Map<PeerCall, Set<CallObserver>> watching = new LinkedHashMap<>();
    private final List<Left> left = new ArrayList<>();

    private record Left(PeerCall call, Station station) {
    }

    // Who is told

    /** Whoever observes the call now is told of what happens to it in this round. */
    void watch(PeerCall call) {
        watching.computeIfAbsent(call, each -> PeerProvider.identities()).addAll(call.observers());
    }

    /** A station comes into a call: its observers learn what is so already, and then what happens. */
    void enter(PeerCall call, Station station) {
        if (!station.isMonitored() || !call.stations.add(station)) {
            return;
        }
        station.calls.add(call);
        Set<CallObserver> watchers = watching.computeIfAbsent(call, each -> PeerProvider.identities());
        List<Happening> before = call.connections.isEmpty() ? List.of() : call.presentState();
        for (CallObserver each : station.callObservers()) {
            if (watchers.add(each) && !before.isEmpty()) {
                newcomers.computeIfAbsent(each, observer -> new ArrayList<>()).addAll(before);
            }
        }
    }

    /** A station is not in a call any more: unless they observe it elsewhere, its observers are told so. */
    void leave(PeerCall call, Station station) {
        if (call.stations.remove(station)) {
            station.calls.remove(call);
            left.add(new Left(call, station));
        }
    }

    /** Tell each observer what concerns calls that it observes or observed; returns these calls. */
    Set<PeerCall> tell(PeerProvider provider, int meta, int cause, int controlCause) {
        Map<CallObserver, List<Happening>> told = new IdentityHashMap<>();
        List<CallObserver> order = new ArrayList<>();
        newcomers.forEach((observer, before) -> list(told, order, observer).addAll(before));
        for (Happening each : all(meta, cause, controlCause)) {
            for (CallObserver observer : watching.getOrDefault(each.call, Set.of())) {
                list(told, order, observer).add(each);
            }
        }
        for (Left each : left) {
            Set<CallObserver> still = each.call.observers();
            for (CallObserver observer : each.station.callObservers()) {
                if (!still.contains(observer)) {
                    Happening ended = new Happening(103, each.call);
                    ended.ended = each.call;
                    ended.meta = meta;
                    list(told, order, observer).add(ended);
                }
            }
        }
        order.forEach(observer -> provider.tell(List.of(observer), told.get(observer)));
        return watching.keySet();
    }

    private static List<Happening> list(
        Map<CallObserver, List<Happening>> told, List<CallObserver> order, CallObserver observer) {
        return told.computeIfAbsent(observer, each -> {
            order.add(each);
            return new ArrayList<>();
        });
    }

    // What happens

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
