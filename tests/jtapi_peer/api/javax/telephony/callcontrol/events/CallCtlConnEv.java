// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcontrol.events;

import javax.telephony.events.ConnEv;

public interface CallCtlConnEv extends CallCtlCallEv, ConnEv {
}
