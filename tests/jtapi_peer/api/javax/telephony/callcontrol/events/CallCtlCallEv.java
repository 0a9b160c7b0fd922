// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcontrol.events;

import javax.telephony.Address;
import javax.telephony.Terminal;
import javax.telephony.events.CallEv;

public interface CallCtlCallEv extends CallCtlEv, CallEv {
    Address getCallingAddress();

    Terminal getCallingTerminal();

    Address getCalledAddress();

    Address getLastRedirectedAddress();
}
