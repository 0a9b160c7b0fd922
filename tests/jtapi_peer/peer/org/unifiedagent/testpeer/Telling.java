// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayList;
import java.util.List;
import javax.telephony.AddressObserver;
import javax.telephony.CallObserver;
import javax.telephony.ProviderObserver;
import javax.telephony.TerminalObserver;
import javax.telephony.callcontrol.CallControlCallObserver;
import javax.telephony.events.AddrEv;
import javax.telephony.events.CallEv;
import javax.telephony.events.Ev;
import javax.telephony.events.ProvEv;
import javax.telephony.events.TermEv;

/** Turns happenings into calls of an observer: of those that it wants, in one array, or in one each. */
final class Telling {
    private static final int FIRST_CONTROL = 203;
    private static final int LAST_CONTROL = 220;
    private static final int FIRST_AGENT = 308;
    private static final int LAST_AGENT = 315;
    private static final Class<?> AGENT_OBSERVER = agentObserver();

    private Telling() {
    }

    private static Class<?> agentObserver() {
        try {
            return Class.forName("javax.telephony.callcenter.AgentTerminalObserver");
        } catch (ClassNotFoundException error) {
            return null;
        }
    }

    private static boolean wants(Object observer, int id) {
        if (id >= FIRST_AGENT && id <= LAST_AGENT) {
            return AGENT_OBSERVER != null && AGENT_OBSERVER.isInstance(observer);
        }
        return id < FIRST_CONTROL || id > LAST_CONTROL || observer instanceof CallControlCallObserver;
    }

    static List<Runnable> of(PeerProvider provider, Object observer, List<Happening> happenings) {
        List<Ev> wanted = new ArrayList<>();
        int meta = 0;
        for (Happening each : happenings) {
            Ev event = !wants(observer, each.id) ? null : provider.events.of(each, each.meta != meta);
            if (event != null) {
                meta = each.meta;
                wanted.add(event);
            }
        }
        List<Runnable> calls = new ArrayList<>();
        if (provider.parameters.is("x-array", "one")) {
            for (Ev each : wanted) {
                calls.add(() -> call(observer, List.of(each)));
            }
        } else if (!wanted.isEmpty()) {
            calls.add(() -> call(observer, wanted));
        }
        return calls;
    }

    private static void call(Object observer, List<Ev> events) {
        Ev first = events.get(0);
        if (first instanceof ProvEv) {
            ((ProviderObserver) observer).providerChangedEvent(events.toArray(new ProvEv[0]));
        } else if (first instanceof AddrEv) {
            ((AddressObserver) observer).addressChangedEvent(events.toArray(new AddrEv[0]));
        } else if (first instanceof TermEv) {
            ((TerminalObserver) observer).terminalChangedEvent(events.toArray(new TermEv[0]));
        } else {
            ((CallObserver) observer).callChangedEvent(events.toArray(new CallEv[0]));
        }
    }
}
