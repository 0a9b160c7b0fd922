// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.Agent;

public interface LucentV5Terminal extends LucentTerminal {
    Agent addAgent(
        LucentAddress address,
        ACDAddress acdAddress,
        int initialState,
        int workMode,
        int reasonCode,
        String agentID,
        String password)
        throws TsapiInvalidArgumentException, TsapiInvalidStateException;
}
