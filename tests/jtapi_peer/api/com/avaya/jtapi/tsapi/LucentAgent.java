// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public interface LucentAgent extends ITsapiAgent {
    int MODE_NONE = 0;
    int MODE_AUTO_IN = 1;
    int MODE_MANUAL_IN = 2;

    LucentAgentStateInfoEx getStateInfo();

    void setState(int state, int workMode) throws TsapiInvalidArgumentException, TsapiInvalidStateException;
}
