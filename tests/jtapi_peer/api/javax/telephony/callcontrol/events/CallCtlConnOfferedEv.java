// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcontrol.events;

public interface CallCtlConnOfferedEv extends CallCtlConnEv {
    int ID = 211;
}
