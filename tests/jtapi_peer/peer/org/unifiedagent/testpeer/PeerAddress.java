// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.List;
import javax.telephony.Address;
import javax.telephony.AddressObserver;
import javax.telephony.CallObserver;
import javax.telephony.Connection;
import javax.telephony.Provider;
import javax.telephony.Terminal;
import javax.telephony.callcontrol.CallControlAddress;

/** A number as an address. */
public class PeerAddress implements Address, CallControlAddress {
    protected final Station station;

    public PeerAddress(Station station) {
        this.station = station;
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
    public Terminal[] getTerminals() {
        return new Terminal[] {station.terminal};
    }

    @Override
    public Connection[] getConnections() {
        synchronized (station.provider) {
            List<Connection> all = new ArrayList<>();
            for (PeerCall each : station.calls) {
                PeerConnection own = each.connections.get(station.number);
                if (own != null) {
                    all.add(own);
                }
            }
            return PeerProvider.arrayOf(all, Connection.class);
        }
    }

    @Override
    public void addObserver(AddressObserver observer) {
        station.add(station.addressObservers, observer);
    }

    @Override
    public AddressObserver[] getObservers() {
        synchronized (station.provider) {
            return PeerProvider.arrayOf(station.addressObservers, AddressObserver.class);
        }
    }

    @Override
    public void removeObserver(AddressObserver observer) {
        station.remove(station.addressObservers, observer);
    }

    @Override
    public void addCallObserver(CallObserver observer) {
        station.add(station.addressCallObservers, observer);
    }

    @Override
    public CallObserver[] getCallObservers() {
        synchronized (station.provider) {
            return PeerProvider.arrayOf(station.addressCallObservers, CallObserver.class);
        }
    }

    @Override
    public void removeCallObserver(CallObserver observer) {
        station.remove(station.addressCallObservers, observer);
    }

    @Override
    public String toString() {
        return "address " + station.number;
    }
}
