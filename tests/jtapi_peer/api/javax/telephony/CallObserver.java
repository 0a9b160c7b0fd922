// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

import javax.telephony.events.CallEv;

public interface CallObserver {
    void callChangedEvent(CallEv[] events);
}
