// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.TerminalConnection;
import javax.telephony.callcontrol.CallControlTerminalConnection;

public interface ITsapiTerminalConnection extends TerminalConnection, CallControlTerminalConnection {
}
