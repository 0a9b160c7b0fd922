// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.events;

import javax.telephony.Provider;

public interface ProvEv extends Ev {
    Provider getProvider();
}
