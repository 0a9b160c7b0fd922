// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter.events;

import javax.telephony.Address;
import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.Agent;
import javax.telephony.events.TermEv;

public interface AgentTermEv extends CallCentEv, TermEv {
    Agent getAgent();

    ACDAddress getACDAddress();

    String getAgentID();

    int getState();

    Address getAgentAddress();
}
