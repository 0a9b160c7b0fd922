// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class InvalidPartyException extends Exception {
    public static final int ORIGINATING_PARTY = 0;
    public static final int DESTINATION_PARTY = 1;
    public static final int UNKNOWN_PARTY = 2;
    private static final long serialVersionUID = 1L;

    private final int type;

    public InvalidPartyException(int type, String words) {
        super(words);
        this.type = type;
    }

    public int getType() {
        return type;
    }
}
