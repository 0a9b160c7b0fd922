// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.Terminal;
import javax.telephony.callcenter.AgentTerminal;
import javax.telephony.callcontrol.CallControlTerminal;

public interface ITsapiTerminal extends Terminal, CallControlTerminal, AgentTerminal {
}
