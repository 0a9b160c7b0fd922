// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.List;
import javax.telephony.Address;
import javax.telephony.CallObserver;
import javax.telephony.Provider;
import javax.telephony.Terminal;
import javax.telephony.TerminalConnection;
import javax.telephony.TerminalObserver;
import javax.telephony.callcontrol.CallControlTerminal;

/** A number as a terminal. */
public class PeerTerminal implements Terminal, CallControlTerminal {
    protected final Station station;

    public PeerTerminal(Station station) {
        this.station = station;
    }

    /** The agents of its provider. */
    protected Agents agents() {
        return station.provider.agents;
    }

    @Override
    public String getName() {
        return station.number;
    }

    @Override
    public Provider getProvider() {
        return station.provider;
    }

    @Override
    public Address[] getAddresses() {
        return new Address[] {station.address};
    }

    @Override
    public TerminalConnection[] getTerminalConnections() {
        synchronized (station.provider) {
            List<TerminalConnection> all = new ArrayList<>();
            for (PeerCall each : station.calls) {
                PeerConnection own = each.connections.get(station.number);
                if (own != null && own.leg != null) {
                    all.add(own.leg);
                }
            }
            return PeerProvider.arrayOf(all, TerminalConnection.class);
        }
    }

    @Override
    public void addObserver(TerminalObserver observer) {
        station.add(station.terminalObservers, observer);
    }

    @Override
    public TerminalObserver[] getObservers() {
        synchronized (station.provider) {
            return PeerProvider.arrayOf(station.terminalObservers, TerminalObserver.class);
        }
    }

    @Override
    public void removeObserver(TerminalObserver observer) {
        station.remove(station.terminalObservers, observer);
    }

    @Override
    public void addCallObserver(CallObserver observer) {
        station.add(station.terminalCallObservers, observer);
    }

    @Override
    public CallObserver[] getCallObservers() {
        synchronized (station.provider) {
            return PeerProvider.arrayOf(station.terminalCallObservers, CallObserver.class);
        }
    }

    @Override
    public void removeCallObserver(CallObserver observer) {
        station.remove(station.terminalCallObservers, observer);
    }

    @Override
    public String toString() {
        return "terminal " + station.number;
    }
}
