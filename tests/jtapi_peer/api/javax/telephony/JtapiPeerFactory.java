// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public final class JtapiPeerFactory {
    private JtapiPeerFactory() {
    }

    public static JtapiPeer getJtapiPeer(String name) throws JtapiPeerUnavailableException {
        String wanted = name == null || name.isEmpty() ? "DefaultJtapiPeer" : name;
        try {
            return (JtapiPeer) Class.forName(wanted).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException | ClassCastException | LinkageError error) {
            throw new JtapiPeerUnavailableException("there is no JTAPI peer " + wanted + ": " + error);
        }
    }
}
