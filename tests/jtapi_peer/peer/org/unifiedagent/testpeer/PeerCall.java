// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.telephony.Address;
import javax.telephony.Call;
import javax.telephony.CallObserver;
import javax.telephony.Connection;
import javax.telephony.Provider;
import javax.telephony.Terminal;
import javax.telephony.TerminalConnection;
import javax.telephony.callcontrol.CallControlCall;
import javax.telephony.callcontrol.CallControlTerminalConnection;
import javax.telephony.events.Ev;

/** A call. Its provider guards what changes. */
public class PeerCall implements CallControlCall {
    protected final PeerProvider provider;
    final Map<String, PeerConnection> connections = new LinkedHashMap<>();
    /** The stations at which it is observed. */
    final Set<Station> stations = new LinkedHashSet<>();
    volatile int state = IDLE;
    volatile String calling;
    volatile String called;
    volatile String lastRedirected;
    protected volatile String queue;
    protected volatile byte[] data;
    protected volatile String ucid;
    private volatile String id;
    private TerminalConnection controller;

    public PeerCall(PeerProvider provider) {
        this.provider = provider;
    }

    /** The switch's id; null until it has one. */
    protected String id() {
        return id;
    }

    void name(String given) {
        id = given;
    }

    /** The address of the queue that distributed it, or null. */
    protected Address queueAddress() {
        return queue == null ? null : provider.maker.queue(provider.station(queue));
    }

    /** Who observes it, at whatever station. */
    Set<CallObserver> observers() {
        Set<CallObserver> all = PeerProvider.identities();
        for (Station each : stations) {
            all.addAll(each.callObservers());
        }
        return all;
    }

    /** What is so already, as events. */
    List<Happening> presentState() {
        Round round = new Round();
        if (state == ACTIVE) {
            round.call(101, this);
        }
        for (PeerConnection each : connections.values()) {
            round.created(each);
            round.connection(each);
            if (each.leg != null) {
                round.legCreated(each.leg);
                round.leg(each.leg);
            }
        }
        return round.all(Ev.META_SNAPSHOT, Ev.CAUSE_SNAPSHOT, Ev.CAUSE_SNAPSHOT);
    }

    @Override
    public Provider getProvider() {
        return provider;
    }

    @Override
    public int getState() {
        return state;
    }

    @Override
    public Connection[] getConnections() {
        synchronized (provider) {
            return PeerProvider.arrayOf(connections.values(), Connection.class);
        }
    }

    @Override
    public Address getCallingAddress() {
        return provider.addressOf(calling);
    }

    @Override
    public Terminal getCallingTerminal() {
        return calling == null ? null : provider.station(calling).terminal;
    }

    @Override
    public Address getCalledAddress() {
        return provider.addressOf(called);
    }

    @Override
    public Address getLastRedirectedAddress() {
        return provider.addressOf(lastRedirected);
    }

    // Commands

    private Station stationOf(TerminalConnection leg) {
        return ((PeerTerminalConnection) leg).connection.station;
    }

    private String device(String number) {
        return number + ":" + provider.parameters.switchName + "::0";
    }

    /** Ask for a call of a station's that becomes this one. */
    private Connection[] begin(Station station, String request, String to) {
        synchronized (provider) {
            station.asked.add(this);
        }
        try {
            provider.ask(request, answer -> provider.calls.begin(this, station, answer.textOf("callID")));
        } finally {
            synchronized (provider) {
                station.asked.remove(this);
            }
        }
        synchronized (provider) {
            PeerConnection own = connections.get(station.number);
            PeerConnection other = connections.get(to);
            return new Connection[] {
                own != null ? own : new PeerConnection(this, station),
                other != null ? other : new PeerConnection(this, provider.station(to))
            };
        }
    }

    @Override
    public Connection[] connect(Terminal terminal, Address address, String digits) {
        Station station = provider.station(terminal.getName());
        return begin(station, Requests.makeCall(station.device(), device(digits)), digits);
    }

    @Override
    public Connection[] consult(TerminalConnection leg, String digits) {
        Requests.Part existing = ((PeerTerminalConnection) leg).connection.part();
        return begin(stationOf(leg), Requests.consult(existing, device(digits)), digits);
    }

    @Override
    public void drop() {
        for (PeerConnection each : copy()) {
            if (each.station.isMonitored()) {
                each.disconnect();
                return;
            }
        }
    }

    @Override
    public Connection addParty(String digits) {
        provider.ask(Requests.addParty(acting(CallControlTerminalConnection.TALKING).partIn(this), device(digits)));
        return new PeerConnection(this, provider.station(digits));
    }

    @Override
    public void setConferenceController(TerminalConnection wanted) {
        controller = wanted;
    }

    @Override
    public TerminalConnection getConferenceController() {
        return controller;
    }

    @Override
    public void setTransferController(TerminalConnection wanted) {
        controller = wanted;
    }

    @Override
    public TerminalConnection getTransferController() {
        return controller;
    }

    @Override
    public void conference(Call other) {
        Requests.Part[] pair = heldAndActive((PeerCall) other);
        provider.ask(Requests.conference(pair[0], pair[1]));
    }

    @Override
    public void transfer(Call other) {
        Requests.Part[] pair = heldAndActive((PeerCall) other);
        provider.ask(Requests.transfer(pair[0], pair[1]));
    }

    @Override
    public Connection transfer(String digits) {
        provider.ask(Requests.transferTo(acting(CallControlTerminalConnection.TALKING).partIn(this), device(digits)));
        return new PeerConnection(this, provider.station(digits));
    }

    private List<PeerConnection> copy() {
        synchronized (provider) {
            return new ArrayList<>(connections.values());
        }
    }

    /** The station that acts: the controller's, else one that we observe with its leg in this state. */
    private Station acting(int wanted) {
        if (controller != null) {
            return stationOf(controller);
        }
        for (PeerConnection each : copy()) {
            if (each.station.isMonitored() && each.leg != null && each.leg.control == wanted) {
                return each.station;
            }
        }
        throw provider.maker.raise(Kind.INVALID_STATE, Errors.JTAPI, 0, "nobody whom we observe can act in this call");
    }

    /** The parts of the station that is in both calls: the held one, and the active one. */
    private Requests.Part[] heldAndActive(PeerCall other) {
        for (PeerConnection each : copy()) {
            Station station = each.station;
            boolean wanted = controller == null || stationOf(controller) == station;
            PeerConnection another;
            synchronized (provider) {
                another = other.connections.get(station.number);
            }
            if (wanted && station.isMonitored() && each.leg != null && another != null && another.leg != null) {
                boolean heldHere = each.leg.control == CallControlTerminalConnection.HELD;
                PeerCall held = heldHere ? this : other;
                return new Requests.Part[] {station.partIn(held), station.partIn(heldHere ? other : this)};
            }
        }
        throw provider.maker.raise(Kind.INVALID_ARGUMENT, Errors.JTAPI, 0, "no station of ours is in both calls");
    }

    @Override
    public String toString() {
        return "call " + id;
    }
}
