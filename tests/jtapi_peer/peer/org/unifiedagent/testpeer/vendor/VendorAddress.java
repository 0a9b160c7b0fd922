// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.LucentAddress;
import org.unifiedagent.testpeer.PeerAddress;
import org.unifiedagent.testpeer.Station;

/** An address with the vendor's interface. */
public class VendorAddress extends PeerAddress implements LucentAddress {
    public VendorAddress(Station station) {
        super(station);
    }

    @Override
    public String getDirectoryName() {
        return getName();
    }
}
