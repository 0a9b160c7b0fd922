// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public class LucentV5AgentStateInfo extends LucentAgentStateInfoEx {
    public int reasonCode;

    public LucentV5AgentStateInfo(int state, int workMode, int reasonCode) {
        super(state, workMode);
        this.reasonCode = reasonCode;
    }
}
