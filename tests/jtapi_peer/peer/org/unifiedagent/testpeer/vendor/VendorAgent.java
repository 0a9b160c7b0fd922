// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.LucentAgentStateInfoEx;
import com.avaya.jtapi.tsapi.LucentV6AgentStateInfoEx;
import com.avaya.jtapi.tsapi.LucentV7Agent;
import org.unifiedagent.testpeer.AgentRecord;
import org.unifiedagent.testpeer.callcenter.PeerAgent;

/** An agent with the vendor's interface. */
public class VendorAgent extends PeerAgent implements LucentV7Agent {
    public VendorAgent(AgentRecord record) {
        super(record);
    }

    @Override
    public LucentAgentStateInfoEx getStateInfo() {
        AgentRecord.Reading found = record.agents().fresh(record);
        return new LucentV6AgentStateInfoEx(
            found.state(),
            found.workMode(),
            found.reason(),
            found.pendingState(),
            found.pendingReason(),
            found.lucentWorkMode());
    }

    @Override
    public void setState(int state, int workMode) {
        record.agents().set(record, state, workMode, 0, false);
    }

    @Override
    public boolean setState(int state, int workMode, int reasonCode, boolean enablePending) {
        return record.agents().set(record, state, workMode, reasonCode, enablePending);
    }
}
