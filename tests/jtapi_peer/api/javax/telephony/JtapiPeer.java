// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public interface JtapiPeer {
    String getName();

    String[] getServices();

    Provider getProvider(String providerString) throws ProviderUnavailableException;
}
