// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import static javax.telephony.callcontrol.CallControlConnection.ALERTING;
import static javax.telephony.callcontrol.CallControlConnection.DISCONNECTED;
import static javax.telephony.callcontrol.CallControlConnection.ESTABLISHED;
import static javax.telephony.callcontrol.CallControlConnection.FAILED;
import static javax.telephony.callcontrol.CallControlConnection.INITIATED;
import static javax.telephony.callcontrol.CallControlConnection.NETWORK_REACHED;
import static javax.telephony.callcontrol.CallControlConnection.QUEUED;
import static javax.telephony.callcontrol.CallControlTerminalConnection.DROPPED;
import static javax.telephony.callcontrol.CallControlTerminalConnection.HELD;
import static javax.telephony.callcontrol.CallControlTerminalConnection.RINGING;
import static javax.telephony.callcontrol.CallControlTerminalConnection.TALKING;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.telephony.Call;
import javax.telephony.callcontrol.events.CallCtlEv;
import javax.telephony.events.Ev;

/**
 * The calls of one provider, changed by what AES says. Each monitor in a call tells the same change: the first to tell
 * it makes it, and everybody who observes the call is told; the others change nothing. The provider guards it all.
 */
final class CallModel {
    private static final String[] SUBJECTS = {
        "connection", "initiatedConnection", "originatedConnection", "establishedConnection", "heldConnection",
        "retrievedConnection", "droppedConnection", "failedConnection", "queuedConnection", "networkReachedConnection"
    };

    private final PeerProvider provider;
    private final int outsideDigits;
    private final Map<String, PeerCall> calls = new HashMap<>();
    private Round round;

    CallModel(PeerProvider provider) {
        this.provider = provider;
        this.outsideDigits = (int) provider.parameters.number("x-outside-digits", 5);
    }

    Collection<PeerCall> all() {
        return calls.values();
    }

    // What AES says

    /** Take an event of a station's monitor. */
    void take(Station station, Node event) {
        String cause = event.textOf("cause");
        int meta = Ev.META_CALL_PROGRESS;
        int controlCause = Causes.control(cause);
        round = new Round();
        switch (event.name) {
            case "TransferedEvent" -> {
                meta = Ev.META_CALL_TRANSFERRING;
                controlCause = CallCtlEv.CAUSE_TRANSFER;
                join(station, event, event.numberOf("transferringDevice"), "singleStepTransfer".equals(cause));
            }
            case "ConferencedEvent" -> {
                boolean single = event.child("secondaryOldCall") == null;
                meta = single ? Ev.META_CALL_ADDITIONAL_PARTY : Ev.META_CALL_MERGING;
                controlCause = CallCtlEv.CAUSE_CONFERENCE;
                join(station, event, null, false);
            }
            case "CallClearedEvent" -> {
                meta = Ev.META_CALL_ENDING;
                PeerCall call = calls.get(event.textOf("callID"));
                if (call != null) {
                    round.watch(call);
                    invalidate(call);
                }
            }
            default -> {
                Node subject = subjectOf(event);
                if (subject != null) {
                    String id = subject.textOf("callID");
                    String device = Node.numberIn(subject.textOf("deviceID"));
                    boolean known = calls.containsKey(id);
                    meta = known ? Ev.META_CALL_PROGRESS : Ev.META_CALL_STARTING;
                    if (event.name.equals("ConnectionClearedEvent") && known) {
                        boolean ending = calls.get(id).connections.size() <= 2;
                        meta = ending ? Ev.META_CALL_ENDING : Ev.META_CALL_REMOVING_PARTY;
                    }
                    if (event.name.equals("RetrievedEvent")) {
                        controlCause = CallCtlEv.CAUSE_UNHOLD;
                    } else if (event.name.equals("DivertedEvent")) {
                        controlCause = CallCtlEv.CAUSE_REDIRECTED;
                    }
                    change(station, event, id, device);
                }
            }
        }
        close(meta, Causes.core(cause), controlCause);
    }

    private static Node subjectOf(Node event) {
        for (String each : SUBJECTS) {
            Node found = event.child(each);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private void change(Station station, Node event, String id, String device) {
        boolean leaves = event.name.equals("ConnectionClearedEvent") || event.name.equals("DivertedEvent");
        if (leaves && !calls.containsKey(id)) {
            return;
        }
        if (leaves && !calls.get(id).connections.containsKey(device)) {
            return;
        }
        boolean begins = event.name.equals("ServiceInitiatedEvent") || event.name.equals("OriginatedEvent");
        PeerCall call = call(id, begins ? station : null);
        Set<Station> watched = new LinkedHashSet<>(List.of(station));
        if (!leaves) {
            watched.add(provider.station(device));
        }
        watched.forEach(each -> round.enter(call, each));
        facts(call, event);
        switch (event.name) {
            case "ServiceInitiatedEvent" -> part(call, device, INITIATED, TALKING);
            case "OriginatedEvent" -> part(call, device, ESTABLISHED, TALKING);
            case "DeliveredEvent" -> {
                withCaller(call, device);
                part(call, device, ALERTING, RINGING);
            }
            case "EstablishedEvent" -> {
                withCaller(call, device);
                part(call, device, ESTABLISHED, TALKING);
            }
            case "HeldEvent" -> part(call, device, ESTABLISHED, HELD);
            case "RetrievedEvent" -> part(call, device, ESTABLISHED, TALKING);
            case "QueuedEvent" -> {
                withCaller(call, device);
                part(call, device, QUEUED, null);
            }
            case "NetworkReachedEvent" -> part(call, device, NETWORK_REACHED, null);
            case "FailedEvent" -> {
                withCaller(call, device);
                part(call, device, FAILED, null);
            }
            default -> {
                drop(call, device);
                settle(call);
            }
        }
    }

    private void facts(PeerCall call, Node event) {
        call.calling = first(event.numberOf("callingDevice"), call.calling);
        call.called = first(event.numberOf("calledDevice"), call.called);
        call.lastRedirected = first(event.numberOf("lastRedirectionDevice"), call.lastRedirected);
        call.queue = first(event.numberOf("distributingVDN"), first(event.numberOf("acdGroup"), call.queue));
        call.ucid = first(event.textOf("globallyUniqueCallLinkageID"), call.ucid);
        Node data = event.find("userData");
        if (data != null && data.textOf("string") != null) {
            call.data = bytes(data.textOf("string"));
        }
    }

    private static <T> T first(T one, T other) {
        return one != null ? one : other;
    }

    private static byte[] bytes(String hex) {
        byte[] all = new byte[hex.length() / 2];
        for (int at = 0; at < all.length; at++) {
            all[at] = (byte) Integer.parseInt(hex.substring(2 * at, 2 * at + 2), 16);
        }
        return all;
    }

    /** A call that is new to us has a caller already; and one that came out of a queue is in it no more. */
    private void withCaller(PeerCall call, String device) {
        if (call.connections.isEmpty() && call.calling != null && !call.calling.equals(device)) {
            part(call, call.calling, ESTABLISHED, TALKING);
        }
        for (PeerConnection each : new ArrayList<>(call.connections.values())) {
            if (each.control == QUEUED && !each.station.number.equals(device)) {
                drop(call, each.station.number);
            }
        }
    }

    /** Several calls became one, or a party was added to one. */
    private void join(Station station, Node event, String leaving, boolean single) {
        List<Node> now = new ArrayList<>();
        event.all("newConnection").forEach(now::add);
        Node secondary = event.child("secondaryOldCall");
        Node primary = event.child("primaryOldCall");
        if (now.isEmpty() || primary == null) {
            return;
        }
        String id = now.get(0).textOf("callID");
        Set<PeerCall> olds = new LinkedHashSet<>();
        for (Node each : secondary == null ? List.of(primary) : List.of(primary, secondary)) {
            PeerCall old = calls.get(each.textOf("callID"));
            if (old != null) {
                round.watch(old);
                olds.add(old);
            }
        }
        Set<String> listed = new HashSet<>();
        now.forEach(each -> listed.add(Node.numberIn(each.textOf("deviceID"))));
        if (olds.isEmpty() && !listed.contains(station.number)) {
            return;
        }
        PeerCall call = call(id, null);
        for (String each : listed) {
            round.enter(call, provider.station(each));
        }
        facts(call, event);
        for (PeerCall old : olds) {
            inherit(call, old, leaving, listed);
        }
        String newcomer = single ? event.numberOf("transferredToDevice") : null;
        for (String device : listed) {
            if (!call.connections.containsKey(device) && !(device.equals(newcomer) && !wasIn(olds, device))) {
                takeOver(call, olds, device);
            }
        }
        String conferencing = event.numberOf("conferencingDevice");
        if (conferencing != null && secondary != null && call.connections.containsKey(conferencing)) {
            part(call, conferencing, ESTABLISHED, TALKING);
        }
        for (String device : new ArrayList<>(call.connections.keySet())) {
            if (!listed.contains(device)) {
                drop(call, device);
            }
        }
        for (PeerCall old : olds) {
            if (old != call) {
                invalidate(old);
            }
        }
        settle(call);
    }

    private void inherit(PeerCall call, PeerCall old, String leaving, Set<String> listed) {
        call.queue = first(call.queue, old.queue);
        call.data = first(call.data, old.data);
        call.ucid = first(call.ucid, old.ucid);
        call.called = first(call.called, old.called);
        if (leaving != null) {
            call.lastRedirected = leaving;
        }
        if (call.calling == null || call.calling.equals(leaving)) {
            call.calling = old.calling != null && listed.contains(old.calling) ? old.calling : call.calling;
        }
    }

    private static boolean wasIn(Set<PeerCall> olds, String device) {
        return olds.stream().anyMatch(each -> each.connections.containsKey(device));
    }

    /** Bring a party over from the call that it was in, as it was there; one that was in none is taken to talk. */
    private void takeOver(PeerCall call, Set<PeerCall> olds, String device) {
        for (PeerCall old : olds) {
            PeerConnection was = old.connections.get(device);
            if (was != null) {
                part(call, device, was.control, was.leg == null ? null : was.leg.control);
                return;
            }
        }
        part(call, device, ESTABLISHED, TALKING);
    }

    /** Take what AES says of a call that was there before we looked. */
    void read(Station station, String id, Node answer) {
        round = new Round();
        PeerCall call = call(id, null);
        round.enter(call, station);
        Set<String> listed = new HashSet<>();
        for (Node each : answer.all("snapshotCallResponseInfo")) {
            String device = each.numberOf("deviceOnCall");
            String local = each.textOf("localConnectionInfo");
            if (device == null || local == null) {
                continue;
            }
            listed.add(device);
            switch (local) {
                case "initiated" -> part(call, device, INITIATED, TALKING);
                case "alerting" -> part(call, device, ALERTING, RINGING);
                case "connected" -> part(call, device, ESTABLISHED, TALKING);
                case "hold" -> part(call, device, ESTABLISHED, HELD);
                case "queued" -> part(call, device, QUEUED, null);
                case "fail" -> part(call, device, FAILED, null);
                default -> listed.remove(device);
            }
        }
        for (String device : new ArrayList<>(call.connections.keySet())) {
            if (!listed.contains(device)) {
                drop(call, device);
            }
        }
        close(Ev.META_SNAPSHOT, Ev.CAUSE_SNAPSHOT, Ev.CAUSE_SNAPSHOT);
    }

    /** A call that was asked for has its id. Its events may have come before. */
    void begin(PeerCall call, Station station, String id) {
        if (calls.containsKey(id)) {
            if (calls.get(id) != call && call.id() == null) {
                call.name(id);
            }
            return;
        }
        if (station.isMonitored()) {
            round = new Round();
            round.enter(named(call, id), station);
            activate(call);
            connection(call, station.number);
            close(Ev.META_CALL_STARTING, Ev.CAUSE_NEW_CALL, Ev.CAUSE_NEW_CALL);
        } else {
            call.name(id);
        }
    }

    // Steps

    /** Tell what happened, and forget calls that nobody observes any more. */
    private void close(int meta, int cause, int controlCause) {
        for (PeerCall each : round.tell(provider, meta, cause, controlCause)) {
            if (each.stations.isEmpty()) {
                calls.remove(each.id(), each);
            }
        }
    }

    private PeerCall named(PeerCall call, String id) {
        call.name(id);
        calls.put(id, call);
        return call;
    }

    /** The call of this id; a new one is that which the station asked for, if it did. */
    private PeerCall call(String id, Station station) {
        PeerCall call = calls.get(id);
        if (call == null) {
            boolean asked = station != null && !station.asked.isEmpty();
            call = named(asked ? station.asked.remove(0) : provider.maker.call(provider), id);
        }
        round.watch(call);
        activate(call);
        return call;
    }

    private void activate(PeerCall call) {
        if (call.state == Call.IDLE) {
            call.state = Call.ACTIVE;
            round.call(101, call);
        }
    }

    /** A station is not monitored any more, and hears nothing of its calls. */
    void forget(Station station) {
        for (PeerCall each : station.calls) {
            each.stations.remove(station);
            if (each.stations.isEmpty()) {
                calls.remove(each.id(), each);
            }
        }
        station.calls.clear();
    }

    private PeerConnection connection(PeerCall call, String device) {
        PeerConnection found = call.connections.get(device);
        if (found == null) {
            found = new PeerConnection(call, provider.station(device));
            call.connections.put(device, found);
            round.created(found);
        }
        return found;
    }

    /** Somebody's part is so now. {@code leg} is null where there is none, or where it stays as it is. */
    private void part(PeerCall call, String device, int control, Integer leg) {
        PeerConnection connection = connection(call, device);
        if (connection.control != control) {
            int core = connection.getState();
            connection.control = control;
            if (connection.getState() != core) {
                round.connection(connection);
            } else {
                round.control(connection);
            }
        }
        if (leg == null || device.length() >= outsideDigits && !connection.station.exists()) {
            return;
        }
        if (connection.leg == null) {
            connection.leg = new PeerTerminalConnection(connection);
            round.legCreated(connection.leg);
        }
        leg(connection.leg, leg);
    }

    private void leg(PeerTerminalConnection leg, int control) {
        if (leg.control != control) {
            int core = leg.getState();
            leg.control = control;
            if (leg.getState() != core) {
                round.leg(leg);
            } else {
                round.legControl(leg);
            }
        }
    }

    private void drop(PeerCall call, String device) {
        PeerConnection connection = call.connections.remove(device);
        if (connection == null) {
            return;
        }
        if (connection.leg != null) {
            leg(connection.leg, DROPPED);
        }
        connection.control = DISCONNECTED;
        round.connection(connection);
        round.leave(call, connection.station);
    }

    /** Nobody whom we observe may be left: then we hear nothing more of the call, and with one party it is over. */
    private void settle(PeerCall call) {
        int parties = call.connections.size();
        if (call.state == Call.ACTIVE && (parties == 0 || parties < 2 && call.stations.isEmpty())) {
            invalidate(call);
        }
    }

    private void invalidate(PeerCall call) {
        for (String device : new ArrayList<>(call.connections.keySet())) {
            drop(call, device);
        }
        for (Station each : new ArrayList<>(call.stations)) {
            round.leave(call, each);
        }
        calls.remove(call.id(), call);
        if (call.state != Call.INVALID) {
            call.state = Call.INVALID;
            round.call(102, call);
        }
    }
}
