// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.ITsapiProviderEx;
import org.unifiedagent.testpeer.Maker;
import org.unifiedagent.testpeer.Parameters;
import org.unifiedagent.testpeer.PeerProvider;

/** A provider with the vendor's interface. */
public class VendorProvider extends PeerProvider implements ITsapiProviderEx {
    public VendorProvider(Parameters parameters, Maker maker) {
        super(parameters, maker);
    }

    @Override
    public String getServerID() {
        return getName();
    }
}
