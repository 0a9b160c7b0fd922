// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** One element of a message, by its local name; namespaces tell nothing that is needed. */
final class Node {
    private static final XMLInputFactory READERS = readers();

    final String name;
    final List<Node> children = new ArrayList<>();
    String text = "";

    private Node(String name) {
        this.name = name;
    }

    private static XMLInputFactory readers() {
        XMLInputFactory factory = XMLInputFactory.newInstance();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        return factory;
    }

    static Node read(String document) throws XMLStreamException {
        XMLStreamReader reader = READERS.createXMLStreamReader(new StringReader(document));
        List<Node> open = new ArrayList<>();
        while (reader.hasNext()) {
            switch (reader.next()) {
                case XMLStreamConstants.START_ELEMENT -> {
                    Node node = new Node(reader.getLocalName());
                    if (!open.isEmpty()) {
                        open.get(open.size() - 1).children.add(node);
                    }
                    open.add(node);
                }
                case XMLStreamConstants.CHARACTERS -> open.get(open.size() - 1).text += reader.getText();
                case XMLStreamConstants.END_ELEMENT -> {
                    Node done = open.remove(open.size() - 1);
                    if (open.isEmpty()) {
                        return done;
                    }
                }
                default -> { }
            }
        }
        throw new XMLStreamException("a message without an element");
    }

    /** The child of this name, or null. */
    Node child(String wanted) {
        for (Node each : children) {
            if (each.name.equals(wanted)) {
                return each;
            }
        }
        return null;
    }

    /** The first element of this name anywhere below, or null. */
    Node find(String wanted) {
        for (Node each : children) {
            Node found = each.name.equals(wanted) ? each : each.find(wanted);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /** All elements of this name below. */
    List<Node> all(String wanted) {
        List<Node> found = new ArrayList<>();
        for (Node each : children) {
            if (each.name.equals(wanted)) {
                found.add(each);
            } else {
                found.addAll(each.all(wanted));
            }
        }
        return found;
    }

    /** The text of the first element of this name anywhere below; null where there is none. */
    String textOf(String wanted) {
        Node found = find(wanted);
        return found == null ? null : found.text.trim();
    }

    /** The number of the device that an element wraps; null for none, and for one that is not told. */
    String numberOf(String wanted) {
        Node found = find(wanted);
        if (found == null) {
            return null;
        }
        String device = found.textOf("deviceIdentifier");
        device = device == null ? found.textOf("numberDialed") : device;
        device = device == null && found.children.isEmpty() ? found.text.trim() : device;
        return device == null || device.isEmpty() ? null : numberIn(device);
    }

    /** What stands before the first colon of a device id. */
    static String numberIn(String device) {
        int colon = device.indexOf(':');
        return colon < 0 ? device : device.substring(0, colon);
    }
}
