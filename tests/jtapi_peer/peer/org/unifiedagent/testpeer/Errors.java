// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.Map;

/** What AES answers in the words of DMCC, in the numbers of TSAPI, and as exceptions. Numbers are CSTA phase I's. */
final class Errors {
    static final int ACS = 1;
    static final int CSTA = 2;
    static final int JTAPI = 3;
    static final int INTERNAL = 4;

    private static final Map<String, Integer> NUMBERS = Map.ofEntries(
        Map.entry("operation", 1),
        Map.entry("operation valueOutOfRange", 3),
        Map.entry("operation invalidParameterValue", 3),
        Map.entry("operation objectNotKnown", 4),
        // Assumed, as the next: TSAPI has no error of its own for either.
        Map.entry("operation invalidAgentIdentifier", 4),
        Map.entry("operation invalidAgentPassword", 3),
        Map.entry("operation invalidCallingDeviceID", 5),
        Map.entry("operation invalidCalledDeviceID", 6),
        Map.entry("operation privilegeViolationSpecifiedDevice", 8),
        Map.entry("operation privilegeViolationCalledDevice", 9),
        Map.entry("operation privilegeViolationCallingDevice", 10),
        Map.entry("operation invalidCallID", 11),
        Map.entry("operation invalidDeviceID", 12),
        Map.entry("operation invalidConnectionID", 13),
        Map.entry("operation invalidDestination", 14),
        Map.entry("operation serviceNotSupported", 15),
        Map.entry("operation invalidMonitorCrossRefID", 17),
        Map.entry("operation invalidMonitorObject", 18),
        Map.entry("operation invalidAgentGroup", 18),
        Map.entry("operation invalidAgentState", 22),
        Map.entry("security", 19),
        Map.entry("stateIncompatibility", 21),
        Map.entry("stateIncompatibility invalidObjectState", 22),
        Map.entry("stateIncompatibility invalidConnectionState", 22),
        Map.entry("stateIncompatibility invalidDeviceState", 21),
        Map.entry("stateIncompatibility connectedCallExists", 22),
        Map.entry("stateIncompatibility noActiveCall", 24),
        Map.entry("stateIncompatibility noHeldCall", 25),
        Map.entry("stateIncompatibility noCallToClear", 26),
        Map.entry("stateIncompatibility noConnectionToClear", 27),
        Map.entry("stateIncompatibility noCallToAnswer", 28),
        Map.entry("stateIncompatibility noCallToComplete", 29),
        Map.entry("systemResourceAvailibility", 31),
        Map.entry("systemResourceAvailibility resourceBusy", 33),
        Map.entry("systemResourceAvailibility resourceOutOfService", 34),
        Map.entry("systemResourceAvailibility networkBusy", 35),
        Map.entry("systemResourceAvailibility networkOutOfService", 36),
        Map.entry("systemResourceAvailibility overallMonitorLimitExceeded", 37),
        Map.entry("systemResourceAvailibility conferenceMemberLimitExceeded", 38),
        Map.entry("subscribedResourceAvailability", 41),
        Map.entry("performanceManagement", 51));

    private Errors() {
    }

    /** TSAPI's number of a refusal: the value's, else its class's, else 0. */
    static int numberOf(String errorClass, String value) {
        Integer found = NUMBERS.get(errorClass + " " + value);
        return found != null ? found : NUMBERS.getOrDefault(errorClass, 0);
    }

    static Kind kindOf(int number) {
        if (number == 2 || number >= 21 && number <= 29) {
            return Kind.INVALID_STATE;
        }
        if (number == 3 || number == 4) {
            return Kind.INVALID_ARGUMENT;
        }
        if (number >= 5 && number <= 7 || number == 14) {
            return Kind.INVALID_PARTY;
        }
        if (number >= 8 && number <= 10 || number == 19) {
            return Kind.PRIVILEGE;
        }
        return number >= 31 && number <= 44 ? Kind.RESOURCE : Kind.PLATFORM;
    }

    /** Throw anything, also what the compiler would want declared. Never returns. */
    @SuppressWarnings("unchecked")
    static <T extends Throwable> RuntimeException raise(Throwable error) throws T {
        throw (T) error;
    }
}
