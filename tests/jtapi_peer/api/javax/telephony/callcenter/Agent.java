// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter;

import javax.telephony.Address;
import javax.telephony.InvalidArgumentException;
import javax.telephony.InvalidStateException;

public interface Agent {
    int UNKNOWN = 0;
    int LOG_IN = 1;
    int LOG_OUT = 2;
    int NOT_READY = 3;
    int READY = 4;
    int WORK_NOT_READY = 5;
    int WORK_READY = 6;
    int BUSY = 7;

    String getAgentID();

    AgentTerminal getAgentTerminal();

    Address getAgentAddress();

    ACDAddress getACDAddress();

    int getState();

    void setState(int state) throws InvalidArgumentException, InvalidStateException;
}
