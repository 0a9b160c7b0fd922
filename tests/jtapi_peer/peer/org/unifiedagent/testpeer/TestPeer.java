// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import javax.telephony.JtapiPeer;
import javax.telephony.Provider;

/** The peer that a class path names. */
public final class TestPeer implements JtapiPeer {
    @Override
    public String getName() {
        return TestPeer.class.getName();
    }

    @Override
    public String[] getServices() {
        return null;
    }

    @Override
    public Provider getProvider(String providerString) {
        Parameters parameters = new Parameters(providerString);
        PeerProvider provider = Maker.of(parameters).provider(parameters);
        provider.open();
        return provider;
    }
}
