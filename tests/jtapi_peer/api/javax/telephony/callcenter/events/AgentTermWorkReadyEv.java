// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter.events;

public interface AgentTermWorkReadyEv extends AgentTermEv {
    int ID = 315;
}
