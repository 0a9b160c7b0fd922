// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

import javax.telephony.events.TermEv;

public interface TerminalObserver {
    void terminalChangedEvent(TermEv[] events);
}
