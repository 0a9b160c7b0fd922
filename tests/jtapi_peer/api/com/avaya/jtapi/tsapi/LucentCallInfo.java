// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.CallCenterAddress;

public interface LucentCallInfo extends ITsapiCallInfo {
    ACDAddress getDeliveringACDAddress();

    CallCenterAddress getDistributingAddress();

    UserToUserInfo getUserToUserInfo();
}
