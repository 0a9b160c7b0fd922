// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.telephony.events.CallEv;
import javax.telephony.events.Ev;

/** Makes the event objects: for each happening one of the interface that has its id. */
final class Events {
    private static final String[] CORE = {
        "100 AddrObservationEndedEv", "101 CallActiveEv", "102 CallInvalidEv", "103 CallObservationEndedEv",
        "104 ConnAlertingEv", "105 ConnConnectedEv", "106 ConnCreatedEv", "107 ConnDisconnectedEv",
        "108 ConnFailedEv", "109 ConnInProgressEv", "110 ConnUnknownEv", "111 ProvInServiceEv",
        "112 ProvObservationEndedEv", "113 ProvOutOfServiceEv", "114 ProvShutdownEv", "115 TermConnActiveEv",
        "116 TermConnCreatedEv", "117 TermConnDroppedEv", "118 TermConnPassiveEv", "119 TermConnRingingEv",
        "120 TermConnUnknownEv", "121 TermObservationEndedEv"
    };
    private static final String[] CONTROL = {
        "203 CallCtlConnAlertingEv", "204 CallCtlConnDialingEv", "205 CallCtlConnDisconnectedEv",
        "206 CallCtlConnEstablishedEv", "207 CallCtlConnFailedEv", "208 CallCtlConnInitiatedEv",
        "209 CallCtlConnNetworkAlertingEv", "210 CallCtlConnNetworkReachedEv", "211 CallCtlConnOfferedEv",
        "212 CallCtlConnQueuedEv", "213 CallCtlConnUnknownEv", "214 CallCtlTermConnBridgedEv",
        "215 CallCtlTermConnDroppedEv", "216 CallCtlTermConnHeldEv", "217 CallCtlTermConnInUseEv",
        "218 CallCtlTermConnRingingEv", "219 CallCtlTermConnTalkingEv", "220 CallCtlTermConnUnknownEv"
    };
    private static final String[] AGENT = {
        "308 AgentTermBusyEv", "309 AgentTermLoggedOffEv", "310 AgentTermLoggedOnEv", "311 AgentTermNotReadyEv",
        "312 AgentTermReadyEv", "313 AgentTermUnknownEv", "314 AgentTermWorkNotReadyEv",
        "315 AgentTermWorkReadyEv"
    };

    private final Map<Integer, Class<?>[]> interfaces = new HashMap<>();

    Events(Maker maker) {
        add("javax.telephony.events.", CORE, maker.callInformation());
        add("javax.telephony.callcontrol.events.", CONTROL, maker.callInformation());
        add("javax.telephony.callcenter.events.", AGENT, maker.agentInformation());
        add("javax.telephony.privatedata.events.", new String[] {"602 PrivateProvEv"}, new Class<?>[0]);
    }

    private void add(String where, String[] names, Class<?>[] more) {
        for (String each : names) {
            int id = Integer.parseInt(each.substring(0, 3));
            try {
                List<Class<?>> all = new ArrayList<>();
                Class<?> own = Class.forName(where + each.substring(4));
                all.add(own);
                if (CallEv.class.isAssignableFrom(own) || names == AGENT) {
                    all.addAll(List.of(more));
                }
                interfaces.put(id, all.toArray(new Class<?>[0]));
            } catch (ClassNotFoundException error) {
                // The class path has not this family.
            }
        }
    }

    /** The event of a happening; null where the class path has no interface for it. */
    Ev of(Happening happening, boolean newMeta) {
        Class<?>[] all = interfaces.get(happening.id);
        ClassLoader loader = Events.class.getClassLoader();
        return all == null ? null : (Ev) Proxy.newProxyInstance(loader, all, new Reader(happening, newMeta));
    }

    private record Reader(Happening of, boolean newMeta) implements InvocationHandler {
        @Override
        public Object invoke(Object event, Method method, Object[] arguments) throws Throwable {
            return switch (method.getName()) {
                case "getID" -> of.id;
                case "getCause" -> of.cause;
                case "getMetaCode" -> of.meta;
                case "isNewMetaEvent" -> newMeta;
                case "getObserved" -> observed();
                case "getProvider" -> of.provider;
                case "getAddress" -> of.address;
                case "getTerminal" -> of.terminal;
                case "getCall" -> of.call;
                case "getConnection" -> of.connection;
                case "getTerminalConnection" -> of.leg;
                case "getEndedObject" -> of.ended;
                case "getNumberInQueue" -> of.waiting;
                case "getCallControlCause" -> of.controlCause;
                case "getCallingAddress" -> of.calling;
                case "getCallingTerminal" -> of.call.getCallingTerminal();
                case "getCalledAddress" -> of.called;
                case "getLastRedirectedAddress" -> of.lastRedirected;
                case "getPrivateData" -> of.privateData;
                case "getAgent" -> of.agent.shown();
                case "getAgentID" -> of.agent.id;
                case "getAgentAddress" -> of.agent.station.address;
                case "getACDAddress" -> null;
                case "getState" -> of.agent.state();
                case "hashCode" -> System.identityHashCode(event);
                case "equals" -> event == arguments[0];
                case "toString" -> "event " + of.id + " of " + observed();
                default -> ofCall(method, arguments);
            };
        }

        private Object observed() {
            Object device = of.terminal != null ? of.terminal : of.address;
            return of.call != null ? of.call : device != null ? device : of.provider;
        }

        private Object ofCall(Method method, Object[] arguments) throws Throwable {
            if (of.call == null) {
                return null;
            }
            try {
                return method.invoke(of.call, arguments);
            } catch (InvocationTargetException error) {
                throw error.getCause();
            }
        }
    }
}
