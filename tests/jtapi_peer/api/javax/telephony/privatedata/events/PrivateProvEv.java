// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.privatedata.events;

import javax.telephony.events.ProvEv;

public interface PrivateProvEv extends ProvEv {
    int ID = 602;

    Object getPrivateData();
}
