// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.callcenter;

import java.util.ArrayList;
import java.util.List;
import javax.telephony.Address;
import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.Agent;
import javax.telephony.callcenter.AgentTerminal;
import org.unifiedagent.testpeer.AgentRecord;
import org.unifiedagent.testpeer.PeerTerminal;
import org.unifiedagent.testpeer.Station;

/** A terminal at which agents log in. */
public class PeerAgentTerminal extends PeerTerminal implements AgentTerminal {
    public PeerAgentTerminal(Station station) {
        super(station);
    }

    @Override
    public Agent addAgent(Address address, ACDAddress acdAddress, int initialState, String agentID, String password) {
        return PeerAgent.of(agents().logIn(station, agentID, password, initialState, 0, 0));
    }

    @Override
    public Agent[] getAgents() {
        List<Agent> all = new ArrayList<>();
        for (AgentRecord each : agents().at(station)) {
            all.add(PeerAgent.of(each));
        }
        return all.isEmpty() ? null : all.toArray(new Agent[0]);
    }

    @Override
    public void removeAgent(Agent agent) {
        agents().logOut(((PeerAgent) agent).record, 0);
    }
}
