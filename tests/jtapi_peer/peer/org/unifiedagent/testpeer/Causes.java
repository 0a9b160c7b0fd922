// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.Map;
import javax.telephony.callcontrol.events.CallCtlEv;
import javax.telephony.events.Ev;

/** Why something happened: CSTA's words in JTAPI's numbers. */
final class Causes {
    static final int NORMAL = Ev.CAUSE_NORMAL;
    static final int META_UNKNOWN = Ev.META_UNKNOWN;

    private static final Map<String, Integer> CORE = Map.of(
        "newCall", Ev.CAUSE_NEW_CALL,
        "makeCall", Ev.CAUSE_NEW_CALL,
        "callCancelled", Ev.CAUSE_CALL_CANCELLED,
        "destNotObtainable", Ev.CAUSE_DEST_NOT_OBTAINABLE,
        "destOutOfOrder", Ev.CAUSE_DEST_NOT_OBTAINABLE,
        "resourcesNotAvailable", Ev.CAUSE_RESOURCES_NOT_AVAILABLE,
        "networkCongestion", Ev.CAUSE_NETWORK_CONGESTION);
    private static final Map<String, Integer> CONTROL = Map.of(
        "alternate", CallCtlEv.CAUSE_ALTERNATE,
        "busy", CallCtlEv.CAUSE_BUSY,
        "callNotAnswered", CallCtlEv.CAUSE_CALL_NOT_ANSWERED,
        "callForwardNoAnswer", CallCtlEv.CAUSE_REDIRECTED,
        "conference", CallCtlEv.CAUSE_CONFERENCE,
        "singleStepConference", CallCtlEv.CAUSE_CONFERENCE,
        "redirected", CallCtlEv.CAUSE_REDIRECTED,
        "transfer", CallCtlEv.CAUSE_TRANSFER,
        "singleStepTransfer", CallCtlEv.CAUSE_TRANSFER,
        "trunksBusy", CallCtlEv.CAUSE_TRUNKS_BUSY);

    private Causes() {
    }

    static int core(String cause) {
        return cause == null ? NORMAL : CORE.getOrDefault(cause, NORMAL);
    }

    /** Call control's own cause; where it has none, the core's. */
    static int control(String cause) {
        return cause == null ? NORMAL : CONTROL.getOrDefault(cause, core(cause));
    }
}
