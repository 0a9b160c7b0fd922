// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class MethodNotSupportedException extends Exception {
    private static final long serialVersionUID = 1L;

    public MethodNotSupportedException(String words) {
        super(words);
    }
}
