// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter;

import javax.telephony.Address;
import javax.telephony.InvalidArgumentException;
import javax.telephony.InvalidStateException;
import javax.telephony.ResourceUnavailableException;
import javax.telephony.Terminal;

public interface AgentTerminal extends Terminal {
    Agent addAgent(Address address, ACDAddress acdAddress, int initialState, String agentID, String password)
        throws InvalidArgumentException, InvalidStateException, ResourceUnavailableException;

    Agent[] getAgents();

    void removeAgent(Agent agent) throws InvalidArgumentException, InvalidStateException;
}
