// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.callcenter.CallCenterAddress;

public interface LucentV7CallInfo extends LucentV5CallInfo {
    CallCenterAddress getDistributingVDNAddress();
}
