// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.LucentAddress;
import com.avaya.jtapi.tsapi.LucentV5TerminalEx;
import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.Agent;
import org.unifiedagent.testpeer.Station;
import org.unifiedagent.testpeer.callcenter.PeerAgent;
import org.unifiedagent.testpeer.callcenter.PeerAgentTerminal;

/** A terminal with the vendor's interface. */
public class VendorTerminal extends PeerAgentTerminal implements LucentV5TerminalEx {
    public VendorTerminal(Station station) {
        super(station);
    }

    @Override
    public Agent addAgent(
        LucentAddress address, ACDAddress acdAddress, int initialState, int workMode, String agentID, String password) {
        return addAgent(address, acdAddress, initialState, workMode, 0, agentID, password);
    }

    @Override
    public Agent addAgent(
        LucentAddress address,
        ACDAddress acdAddress,
        int initialState,
        int workMode,
        int reasonCode,
        String agentID,
        String password) {
        return PeerAgent.of(agents().logIn(station, agentID, password, initialState, workMode, reasonCode));
    }

    @Override
    public void removeAgent(Agent agent, int reasonCode) {
        agents().logOut(((PeerAgent) agent).record, reasonCode);
    }

    @Override
    public String getDirectoryName() {
        return getName();
    }
}
