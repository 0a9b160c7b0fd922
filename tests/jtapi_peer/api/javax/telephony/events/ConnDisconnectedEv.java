// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.events;

public interface ConnDisconnectedEv extends ConnEv {
    int ID = 107;
}
