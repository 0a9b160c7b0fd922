// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public interface LucentV6Agent extends LucentAgent {
    boolean setState(int state, int workMode, int reasonCode, boolean enablePending)
        throws TsapiInvalidArgumentException, TsapiInvalidStateException;
}
