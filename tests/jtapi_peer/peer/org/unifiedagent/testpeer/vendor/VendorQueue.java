// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import javax.telephony.callcenter.ACDAddress;
import org.unifiedagent.testpeer.Station;

/** The address of a queue. */
public class VendorQueue extends VendorAddress implements ACDAddress {
    public VendorQueue(Station station) {
        super(station);
    }
}
