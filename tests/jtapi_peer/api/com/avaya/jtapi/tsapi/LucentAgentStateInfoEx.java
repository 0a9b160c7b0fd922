// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public class LucentAgentStateInfoEx extends LucentAgentStateInfo {
    public LucentAgentStateInfoEx(int state, int workMode) {
        super(state, workMode);
    }
}
