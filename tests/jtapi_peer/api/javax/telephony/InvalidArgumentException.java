// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class InvalidArgumentException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidArgumentException(String words) {
        super(words);
    }
}
