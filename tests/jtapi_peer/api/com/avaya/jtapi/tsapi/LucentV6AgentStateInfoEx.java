// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public class LucentV6AgentStateInfoEx extends LucentV6AgentStateInfo {
    public static final short WM_NONE = -1;
    public static final short WM_AUX_WORK = 1;
    public static final short WM_AFTCAL_WK = 2;
    public static final short WM_AUTO_IN = 3;
    public static final short WM_MANUAL_IN = 4;

    public int lucentWorkMode;

    public LucentV6AgentStateInfoEx(
        int state, int workMode, int reasonCode, int pendingState, int pendingReasonCode, int lucentWorkMode) {
        super(state, workMode, reasonCode, pendingState, pendingReasonCode);
        this.lucentWorkMode = lucentWorkMode;
    }
}
