// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter.events;

public interface AgentTermBusyEv extends AgentTermEv {
    int ID = 308;
}
