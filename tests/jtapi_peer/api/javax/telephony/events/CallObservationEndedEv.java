// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.events;

public interface CallObservationEndedEv extends CallEv {
    int ID = 103;

    Object getEndedObject();
}
