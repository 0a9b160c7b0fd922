// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.events;

public interface CallActiveEv extends CallEv {
    int ID = 101;
}
