// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public class LucentV6AgentStateInfo extends LucentV5AgentStateInfo {
    public int pendingState;
    public int pendingReasonCode;

    public LucentV6AgentStateInfo(int state, int workMode, int reasonCode, int pendingState, int pendingReasonCode) {
        super(state, workMode, reasonCode);
        this.pendingState = pendingState;
        this.pendingReasonCode = pendingReasonCode;
    }
}
