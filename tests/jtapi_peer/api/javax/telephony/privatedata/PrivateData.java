// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.privatedata;

public interface PrivateData {
    void setPrivateData(Object data);

    Object getPrivateData();

    Object sendPrivateData(Object data);
}
