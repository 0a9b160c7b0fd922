// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.callcenter.Agent;

public interface LucentV5TerminalEx extends LucentV5Terminal {
    void removeAgent(Agent agent, int reasonCode) throws TsapiInvalidArgumentException, TsapiInvalidStateException;
}
