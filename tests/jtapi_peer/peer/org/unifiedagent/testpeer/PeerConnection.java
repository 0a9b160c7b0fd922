// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.Map;
import javax.telephony.Address;
import javax.telephony.Call;
import javax.telephony.Connection;
import javax.telephony.TerminalConnection;
import javax.telephony.callcontrol.CallControlConnection;

/** Somebody's part in a call. */
public final class PeerConnection implements CallControlConnection {
    private static final Map<Integer, Integer> CORE = Map.of(
        CallControlConnection.IDLE, Connection.IDLE,
        OFFERED, INPROGRESS,
        QUEUED, INPROGRESS,
        CallControlConnection.ALERTING, Connection.ALERTING,
        INITIATED, CONNECTED,
        NETWORK_REACHED, CONNECTED,
        ESTABLISHED, CONNECTED,
        CallControlConnection.DISCONNECTED, Connection.DISCONNECTED,
        CallControlConnection.FAILED, Connection.FAILED,
        CallControlConnection.UNKNOWN, Connection.UNKNOWN);

    final PeerCall call;
    final Station station;
    PeerTerminalConnection leg;
    volatile int control = CallControlConnection.IDLE;

    PeerConnection(PeerCall call, Station station) {
        this.call = call;
        this.station = station;
    }

    static int coreOf(int control) {
        return CORE.get(control);
    }

    Requests.Part part() {
        return station.partIn(call);
    }

    @Override
    public int getState() {
        return coreOf(control);
    }

    @Override
    public int getCallControlState() {
        return control;
    }

    @Override
    public Call getCall() {
        return call;
    }

    @Override
    public Address getAddress() {
        return station.address;
    }

    @Override
    public TerminalConnection[] getTerminalConnections() {
        return leg == null ? null : new TerminalConnection[] {leg};
    }

    @Override
    public void disconnect() {
        station.provider.ask(Requests.clear(part()));
    }

    @Override
    public Connection redirect(String digits) {
        station.provider.ask(Requests.redirect(part(), digits + ":" + station.provider.parameters.switchName + "::0"));
        return new PeerConnection(call, station.provider.station(digits));
    }

    @Override
    public String toString() {
        return "connection of " + station.number + " in " + call;
    }
}
