// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.Call;
import javax.telephony.callcenter.CallCenterCall;
import javax.telephony.callcontrol.CallControlCall;

public interface ITsapiCall extends ITsapiCallInfo, Call, CallControlCall, CallCenterCall {
}
