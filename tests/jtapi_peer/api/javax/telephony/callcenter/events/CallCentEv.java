// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter.events;

import javax.telephony.events.Ev;

public interface CallCentEv extends Ev {
}
