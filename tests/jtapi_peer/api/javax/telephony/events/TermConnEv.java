// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.events;

import javax.telephony.TerminalConnection;

public interface TermConnEv extends CallEv {
    TerminalConnection getTerminalConnection();
}
