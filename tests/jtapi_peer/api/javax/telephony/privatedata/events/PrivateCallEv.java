// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.privatedata.events;

import javax.telephony.events.CallEv;

public interface PrivateCallEv extends CallEv {
    int ID = 601;

    Object getPrivateData();
}
