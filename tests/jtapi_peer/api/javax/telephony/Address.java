// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public interface Address {
    String getName();

    Provider getProvider();

    Terminal[] getTerminals();

    Connection[] getConnections();

    void addObserver(AddressObserver observer) throws ResourceUnavailableException, MethodNotSupportedException;

    AddressObserver[] getObservers();

    void removeObserver(AddressObserver observer);

    void addCallObserver(CallObserver observer) throws ResourceUnavailableException, MethodNotSupportedException;

    CallObserver[] getCallObservers();

    void removeCallObserver(CallObserver observer);
}
