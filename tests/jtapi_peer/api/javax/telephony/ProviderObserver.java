// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

import javax.telephony.events.ProvEv;

public interface ProviderObserver {
    void providerChangedEvent(ProvEv[] events);
}
