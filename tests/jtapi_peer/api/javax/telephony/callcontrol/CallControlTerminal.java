// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcontrol;

import javax.telephony.Terminal;

public interface CallControlTerminal extends Terminal {
}
