// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter;

public interface ACDAddress extends CallCenterAddress {
}
