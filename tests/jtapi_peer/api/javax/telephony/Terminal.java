// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public interface Terminal {
    String getName();

    Provider getProvider();

    Address[] getAddresses();

    TerminalConnection[] getTerminalConnections();

    void addObserver(TerminalObserver observer) throws ResourceUnavailableException, MethodNotSupportedException;

    TerminalObserver[] getObservers();

    void removeObserver(TerminalObserver observer);

    void addCallObserver(CallObserver observer) throws ResourceUnavailableException, MethodNotSupportedException;

    CallObserver[] getCallObservers();

    void removeCallObserver(CallObserver observer);
}
