// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.Provider;
import javax.telephony.callcenter.CallCenterProvider;

public interface ITsapiProvider extends Provider, CallCenterProvider {
    int TSAPI_OUT_OF_SERVICE = 0;
    int TSAPI_INITIALIZING = 1;
    int TSAPI_IN_SERVICE = 2;
    int TSAPI_SHUTDOWN = 3;

    int getTsapiState();
}
