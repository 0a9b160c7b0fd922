// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.callcenter;

import org.unifiedagent.testpeer.AgentRecord;
import org.unifiedagent.testpeer.Maker;
import org.unifiedagent.testpeer.PeerTerminal;
import org.unifiedagent.testpeer.Station;

/** Makes terminals at which agents log in, by {@code javax.telephony.callcenter}. */
public class CallCenterMaker extends Maker {
    /** Fails to load where the class path has no call center package. */
    public CallCenterMaker() throws ClassNotFoundException {
        Class.forName("javax.telephony.callcenter.AgentTerminal");
    }

    @Override
    public PeerTerminal terminal(Station station) {
        return new PeerAgentTerminal(station);
    }

    @Override
    public Object agent(AgentRecord agent) {
        return new PeerAgent(agent);
    }
}
