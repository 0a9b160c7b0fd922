// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class PlatformException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PlatformException(String words) {
        super(words);
    }
}
