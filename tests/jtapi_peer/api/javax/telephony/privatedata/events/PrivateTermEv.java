// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.privatedata.events;

import javax.telephony.events.TermEv;

public interface PrivateTermEv extends TermEv {
    int ID = 603;

    Object getPrivateData();
}
