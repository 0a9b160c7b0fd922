// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public interface Provider {
    int IN_SERVICE = 16;
    int OUT_OF_SERVICE = 17;
    int SHUTDOWN = 18;

    int getState();

    String getName();

    Call[] getCalls() throws ResourceUnavailableException;

    Address getAddress(String number) throws InvalidArgumentException;

    Terminal getTerminal(String name) throws InvalidArgumentException;

    Call createCall()
        throws ResourceUnavailableException, InvalidStateException, PrivilegeViolationException,
            MethodNotSupportedException;

    void addObserver(ProviderObserver observer) throws ResourceUnavailableException, MethodNotSupportedException;

    ProviderObserver[] getObservers();

    void removeObserver(ProviderObserver observer);

    void shutdown();
}
