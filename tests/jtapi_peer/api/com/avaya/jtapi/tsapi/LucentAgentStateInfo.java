// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public class LucentAgentStateInfo {
    public int state;
    public int workMode;

    public LucentAgentStateInfo(int state, int workMode) {
        this.state = state;
        this.workMode = workMode;
    }
}
