// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class PrivilegeViolationException extends Exception {
    public static final int ORIGINATOR_VIOLATION = 0;
    public static final int DESTINATION_VIOLATION = 1;
    public static final int UNKNOWN_VIOLATION = 2;
    private static final long serialVersionUID = 1L;

    private final int type;

    public PrivilegeViolationException(int type, String words) {
        super(words);
        this.type = type;
    }

    public int getType() {
        return type;
    }
}
