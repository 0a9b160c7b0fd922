// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import javax.telephony.Address;
import javax.telephony.Call;
import javax.telephony.InvalidArgumentException;
import javax.telephony.InvalidStateException;
import javax.telephony.Provider;
import javax.telephony.ProviderObserver;
import javax.telephony.Terminal;
import javax.telephony.events.Ev;

/** The provider: its state, its stations and calls, and what AES says of itself. It guards all that is known. */
public class PeerProvider implements Provider {
    private static final int INITIALIZING = 1;
    private static final int TSAPI_IN_SERVICE = 2;
    private static final int TSAPI_SHUTDOWN = 3;

    final Parameters parameters;
    final Maker maker;
    final Events events;
    final Deliveries deliveries;
    final Aes aes;
    final CallModel calls;
    final Agents agents;
    final Map<String, Station> stations = new HashMap<>();
    final Map<String, Station> monitored = new HashMap<>();
    private final Set<ProviderObserver> observers = identities();
    private volatile int state = OUT_OF_SERVICE;
    private volatile int tsapiState = INITIALIZING;
    private volatile String registration;
    private volatile boolean closing;

    public PeerProvider(Parameters parameters, Maker maker) {
        this.parameters = parameters;
        this.maker = maker;
        events = new Events(maker);
        deliveries = new Deliveries(parameters);
        aes = new Aes(parameters, maker, this::take, this::lost);
        calls = new CallModel(this);
        agents = new Agents(this);
    }

    static <T> Set<T> identities() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    // Its life

    /** Log in; becomes in service on a thread of its own. */
    void open() {
        try {
            aes.open(parameters);
        } catch (RuntimeException error) {
            deliveries.end();
            throw error;
        }
        new Thread(this::begin, "jtapi-test-peer-opening").start();
    }

    private void begin() {
        try {
            registration = aes.ask(Requests.register(parameters.switchName), node -> { }).textOf("sysStatRegisterID");
            askStatus();
        } catch (Exception error) {
            if (!closing) {
                error.printStackTrace();
            }
        }
    }

    private void askStatus() throws Exception {
        aes.ask(Requests.status(registration), answer -> status(answer.textOf("systemStatus")));
    }

    private synchronized void status(String status) {
        switch (status == null ? "" : status) {
            case "enabled", "normal" -> become(IN_SERVICE, TSAPI_IN_SERVICE);
            case "overloadImminent", "overloadReached" -> become(OUT_OF_SERVICE, 0);
            case "disabled" -> {
                if (parameters.is("x-loss", "ended-first")) {
                    new ArrayList<>(monitored.values()).forEach(Station::ended);
                }
                become(OUT_OF_SERVICE, 0);
            }
            default -> { }
        }
    }

    private void become(int wanted, int tsapi) {
        if (state == SHUTDOWN || state == wanted && tsapiState == tsapi) {
            return;
        }
        state = wanted;
        tsapiState = tsapi;
        tell(observers, stateEvents(Causes.NORMAL));
    }

    private List<Happening> stateEvents(int cause) {
        Happening told = new Happening(state == IN_SERVICE ? 111 : state == OUT_OF_SERVICE ? 113 : 114);
        told.provider = this;
        told.cause = cause;
        List<Happening> all = new ArrayList<>(List.of(told));
        Object carried = maker.privateState(tsapiState);
        if (carried != null) {
            Happening vendors = new Happening(602);
            vendors.provider = this;
            vendors.cause = cause;
            vendors.privateData = carried;
            all.add(vendors);
        }
        return all;
    }

    /** The socket is gone, or nothing was heard for too long: the provider is dead, and everything of it. */
    private synchronized void lost() {
        if (state == SHUTDOWN) {
            return;
        }
        closing = true;
        stations.values().forEach(Station::ended);
        become(SHUTDOWN, TSAPI_SHUTDOWN);
        new ArrayList<>(observers).forEach(this::endObserver);
        deliveries.end();
    }

    @Override
    public void shutdown() {
        synchronized (this) {
            if (state == SHUTDOWN) {
                return;
            }
        }
        closing = true;
        aes.stop();
        lost();
    }

    /** Take what AES says by itself. */
    private synchronized void take(Node message) {
        switch (message.name) {
            case "SystemStatus" -> status(message.textOf("systemStatus"));
            case "MonitorStop" -> {
                Station station = monitored.get(message.textOf("monitorCrossRefID"));
                if (station != null) {
                    station.ended();
                }
            }
            case "ApplicationSessionTerminated" -> aes.lose();
            default -> {
                Station station = monitored.get(message.textOf("monitorCrossRefID"));
                if (station == null) {
                    return;
                }
                if (message.name.startsWith("Agent")) {
                    agents.take(station, message);
                } else {
                    calls.take(station, message);
                }
            }
        }
    }

    /** Whether anything can be asked at all. Out of service, AES is asked (assumed), and refuses what it must. */
    void mustBeInService() {
        boolean refuses = parameters.is("x-out-of-service", "refuse");
        if (state == SHUTDOWN || tsapiState == INITIALIZING || state != IN_SERVICE && refuses) {
            throw maker.raise(Kind.INVALID_STATE, Errors.JTAPI, 0, "the provider is not in service");
        }
    }

    Node ask(String document) {
        return ask(document, node -> { });
    }

    /** Ask AES; {@code atOnce} takes the answer with everything guarded, before any later event. */
    Node ask(String document, Consumer<Node> atOnce) {
        mustBeInService();
        return aes.ask(document, answer -> {
            synchronized (this) {
                atOnce.accept(answer);
            }
        });
    }

    // What others read

    @Override
    public int getState() {
        if (state == IN_SERVICE && parameters.is("x-get-state", "ask")) {
            try {
                askStatus();
            } catch (Exception error) {
                synchronized (this) {
                    become(OUT_OF_SERVICE, 0);
                }
            }
        }
        return state;
    }

    public int getTsapiState() {
        return tsapiState;
    }

    public void setHeartbeatInterval(short seconds) {
        aes.setHeartbeat(seconds);
    }

    @Override
    public String getName() {
        return parameters.service;
    }

    @Override
    public synchronized Call[] getCalls() {
        return arrayOf(calls.all(), Call.class);
    }

    @Override
    public Address getAddress(String number) throws InvalidArgumentException {
        return known(number).address;
    }

    @Override
    public Terminal getTerminal(String name) throws InvalidArgumentException {
        return known(name).terminal;
    }

    /** The station of this number, after AES was asked whether there is one. */
    private Station known(String number) {
        Station station = station(number);
        station.mustExist();
        return station;
    }

    synchronized Station station(String number) {
        return stations.computeIfAbsent(number, each -> new Station(this, each));
    }

    /** The address of anybody; null for nobody. */
    Address addressOf(String number) {
        return number == null || number.isEmpty() ? null : station(number).address;
    }

    @Override
    public Call createCall() throws InvalidStateException {
        mustBeInService();
        return maker.call(this);
    }

    // Observers

    @Override
    public void addObserver(ProviderObserver observer) {
        Runnable here;
        synchronized (this) {
            if (!observers.add(observer)) {
                return;
            }
            here = snapshot(observer, stateEvents(Ev.CAUSE_SNAPSHOT));
        }
        here.run();
    }

    @Override
    public synchronized ProviderObserver[] getObservers() {
        return arrayOf(observers, ProviderObserver.class);
    }

    @Override
    public synchronized void removeObserver(ProviderObserver observer) {
        endObserver(observer);
    }

    private void endObserver(ProviderObserver observer) {
        if (observers.remove(observer)) {
            Happening told = new Happening(112);
            told.provider = this;
            tell(List.of(observer), List.of(told));
        }
    }

    /** Deliver the same to several observers. */
    void tell(Collection<?> to, List<Happening> happenings) {
        for (Object observer : new ArrayList<>(to)) {
            for (Runnable each : Telling.of(this, observer, happenings)) {
                deliveries.deliver(observer, each);
            }
        }
    }

    /** Deliver what is so already. What is returned is to be run by the calling thread, with nothing guarded. */
    Runnable snapshot(Object observer, List<Happening> happenings) {
        if (!parameters.is("x-snapshot", "calling")) {
            tell(List.of(observer), happenings);
            return () -> { };
        }
        List<Runnable> here = new ArrayList<>();
        for (Runnable each : Telling.of(this, observer, happenings)) {
            here.add(deliveries.deliverHere(observer, each));
        }
        return () -> here.forEach(Runnable::run);
    }

    /** An array, or null for nothing, as JTAPI has it. */
    @SuppressWarnings("unchecked")
    static <T> T[] arrayOf(Collection<? extends T> of, Class<T> type) {
        return of.isEmpty() ? null : of.toArray((T[]) Array.newInstance(type, 0));
    }
}
