// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.telephony.AddressObserver;
import javax.telephony.CallObserver;
import javax.telephony.TerminalObserver;
import javax.telephony.events.Ev;

/** A number: its address and terminal, who observes it, and its monitor at AES. The provider guards what changes. */
public final class Station {
    final PeerProvider provider;
    final String number;
    final PeerAddress address;
    final PeerTerminal terminal;
    final Set<AddressObserver> addressObservers = PeerProvider.identities();
    final Set<TerminalObserver> terminalObservers = PeerProvider.identities();
    final Set<CallObserver> addressCallObservers = PeerProvider.identities();
    final Set<CallObserver> terminalCallObservers = PeerProvider.identities();
    /** The calls that are observed at it. */
    final Set<PeerCall> calls = new LinkedHashSet<>();
    /** Calls that were asked for here and are not told of yet. */
    final List<PeerCall> asked = new ArrayList<>();
    AgentRecord agent;
    private final Object settingUp = new Object();
    private volatile boolean exists;
    private String monitor;

    Station(PeerProvider provider, String number) {
        this.provider = provider;
        this.number = number;
        address = provider.maker.address(this);
        terminal = provider.maker.terminal(this);
    }

    public PeerAddress address() {
        return address;
    }

    public PeerTerminal terminal() {
        return terminal;
    }

    /** Its device id at AES. */
    String device() {
        return number + ":" + provider.parameters.switchName + "::0";
    }

    Requests.Part partIn(PeerCall call) {
        return new Requests.Part(call.id(), device());
    }

    /** Whether AES has said that it is a device of the switch. */
    boolean exists() {
        return exists;
    }

    boolean isMonitored() {
        return monitor != null;
    }

    /** Ask AES whether there is such a device, once. */
    void mustExist() {
        if (exists) {
            return;
        }
        synchronized (settingUp) {
            if (!exists) {
                try {
                    provider.ask(Requests.device(provider.parameters.switchName, number));
                } catch (Exception error) {
                    throw provider.maker.raise(
                        Kind.INVALID_ARGUMENT, Errors.CSTA, 12, number + " is no device: " + error.getMessage());
                }
                exists = true;
            }
        }
    }

    /** Add an observer; the first has the station monitored and its calls read. */
    <T> void add(Set<T> observers, T observer) {
        mustExist();
        Runnable here;
        synchronized (settingUp) {
            begin();
            synchronized (provider) {
                if (!isMonitored()) {
                    throw provider.maker.raise(
                        Kind.RESOURCE, Errors.CSTA, 34, "the link to the switch was lost meanwhile");
                }
                if (!observers.add(observer)) {
                    return;
                }
                here = provider.snapshot(observer, presentState(observers));
            }
        }
        here.run();
    }

    /** What a new observer is told first. */
    private List<Happening> presentState(Set<?> observers) {
        List<Happening> all = new ArrayList<>();
        if (observers == terminalObservers && agent != null) {
            all.add(agent.happening(Ev.CAUSE_SNAPSHOT));
        } else if (observers == terminalCallObservers || observers == addressCallObservers) {
            calls.forEach(each -> all.addAll(each.presentState()));
        }
        return all;
    }

    private void begin() {
        synchronized (provider) {
            if (isMonitored()) {
                return;
            }
        }
        boolean agents = !provider.parameters.is("x-agent-events", "off");
        provider.ask(Requests.monitor(device(), agents), answer -> {
            monitor = answer.textOf("monitorCrossRefID");
            provider.monitored.put(monitor, this);
        });
        Node found = provider.ask(Requests.calls(device()));
        for (Node each : found.all("connectionIdentifier")) {
            String call = each.textOf("callID");
            try {
                provider.ask(
                    Requests.parties(new Requests.Part(call, device())),
                    answer -> provider.calls.read(this, call, answer));
            } catch (RuntimeException error) {
                throw error;
            } catch (Exception error) {
                // The call is over meanwhile.
            }
        }
    }

    /** Remove an observer; with the last the monitor ends. */
    <T> void remove(Set<T> observers, T observer) {
        String last = null;
        synchronized (provider) {
            if (!observers.remove(observer)) {
                return;
            }
            provider.tell(List.of(observer), List.of(end(observers)));
            if (isMonitored() && nobodyObserves()) {
                last = monitor;
                forget();
            }
        }
        if (last != null) {
            try {
                provider.ask(Requests.endMonitor(last));
            } catch (Exception error) {
                // AES has ended it by itself.
            }
        }
    }

    /** Who observes the calls at it. */
    Set<CallObserver> callObservers() {
        Set<CallObserver> all = PeerProvider.identities();
        all.addAll(terminalCallObservers);
        all.addAll(addressCallObservers);
        return all;
    }

    private boolean nobodyObserves() {
        return addressObservers.isEmpty() && terminalObservers.isEmpty() && addressCallObservers.isEmpty()
            && terminalCallObservers.isEmpty();
    }

    private void forget() {
        provider.monitored.remove(monitor);
        monitor = null;
        provider.calls.forget(this);
    }

    /** Its monitor has ended, unasked: every observer is told, and is one no more. */
    void ended() {
        if (isMonitored()) {
            forget();
        }
        for (Set<?> each : List.of(addressObservers, terminalObservers, terminalCallObservers, addressCallObservers)) {
            provider.tell(each, List.of(end(each)));
            each.clear();
        }
    }

    private Happening end(Set<?> observers) {
        int id = observers == addressObservers ? 100 : observers == terminalObservers ? 121 : 103;
        Happening told = new Happening(id);
        told.address = address;
        told.terminal = terminal;
        told.ended = observers == addressCallObservers ? address : terminal;
        return told;
    }
}
