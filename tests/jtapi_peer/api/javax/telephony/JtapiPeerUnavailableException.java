// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class JtapiPeerUnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    public JtapiPeerUnavailableException(String words) {
        super(words);
    }
}
