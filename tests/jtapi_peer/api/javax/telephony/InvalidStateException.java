// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public class InvalidStateException extends Exception {
    public static final int PROVIDER_OBJECT = 0;
    public static final int CALL_OBJECT = 1;
    public static final int CONNECTION_OBJECT = 2;
    public static final int TERMINAL_OBJECT = 3;
    public static final int ADDRESS_OBJECT = 4;
    public static final int TERMINAL_CONNECTION_OBJECT = 5;
    private static final long serialVersionUID = 1L;

    private final transient Object object;
    private final int objectType;
    private final int state;

    public InvalidStateException(Object object, int objectType, int state, String words) {
        super(words);
        this.object = object;
        this.objectType = objectType;
        this.state = state;
    }

    public Object getObject() {
        return object;
    }

    public int getObjectType() {
        return objectType;
    }

    public int getState() {
        return state;
    }
}
