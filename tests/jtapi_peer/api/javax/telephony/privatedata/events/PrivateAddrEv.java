// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.privatedata.events;

import javax.telephony.events.AddrEv;

public interface PrivateAddrEv extends AddrEv {
    int ID = 600;

    Object getPrivateData();
}
