// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.Connection;
import javax.telephony.callcontrol.CallControlConnection;

public interface ITsapiConnection extends Connection, CallControlConnection {
}
