// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class ProviderUnavailableException extends RuntimeException {
    public static final int CAUSE_UNKNOWN = 160;
    public static final int CAUSE_NOT_IN_SERVICE = 161;
    public static final int CAUSE_INVALID_SERVICE = 162;
    public static final int CAUSE_INVALID_ARGUMENT = 163;
    private static final long serialVersionUID = 1L;

    private final int type;

    public ProviderUnavailableException(int type, String words) {
        super(words);
        this.type = type;
    }

    public int getReason() {
        return type;
    }
}
