// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.callcenter;

import javax.telephony.Address;
import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.Agent;
import javax.telephony.callcenter.AgentTerminal;
import org.unifiedagent.testpeer.AgentRecord;

/** An agent at a terminal. With expert agent selection it has no ACD address. */
public class PeerAgent implements Agent {
    public final AgentRecord record;

    public PeerAgent(AgentRecord record) {
        this.record = record;
    }

    /** The agent that stands for a record. */
    public static Agent of(AgentRecord record) {
        return (Agent) record.shown();
    }

    @Override
    public String getAgentID() {
        return record.id;
    }

    @Override
    public AgentTerminal getAgentTerminal() {
        return (AgentTerminal) record.station.terminal();
    }

    @Override
    public Address getAgentAddress() {
        return record.station.address();
    }

    @Override
    public ACDAddress getACDAddress() {
        return null;
    }

    @Override
    public int getState() {
        return record.agents().state(record);
    }

    @Override
    public void setState(int state) {
        record.agents().set(record, state, 0, 0, false);
    }

    @Override
    public String toString() {
        return "agent " + record.id;
    }
}
