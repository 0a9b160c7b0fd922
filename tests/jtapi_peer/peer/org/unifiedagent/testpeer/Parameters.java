// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A provider string, taken apart. */
public final class Parameters {
    final String service;
    final String switchName;
    final List<InetSocketAddress> servers = new ArrayList<>();
    private final Map<String, String> named = new HashMap<>();

    Parameters(String providerString) {
        String[] parts = (providerString == null ? "" : providerString).split(";");
        service = parts[0].trim();
        for (int at = 1; at < parts.length; at++) {
            int equals = parts[at].indexOf('=');
            if (equals > 0) {
                String name = parts[at].substring(0, equals).trim().toLowerCase(Locale.ROOT);
                named.put(name, parts[at].substring(equals + 1));
            }
        }
        String[] link = service.split("#");
        switchName = link.length > 1 ? link[1] : service;
        for (String each : text("servers", "").split(",")) {
            int colon = each.lastIndexOf(':');
            if (colon > 0) {
                int port = Integer.parseInt(each.substring(colon + 1));
                servers.add(new InetSocketAddress(each.substring(0, colon), port));
            }
        }
    }

    String login() {
        return text("login", text("loginid", ""));
    }

    String password() {
        return text("passwd", "");
    }

    String text(String name, String otherwise) {
        return named.getOrDefault(name, otherwise);
    }

    boolean is(String name, String value) {
        return value.equals(named.get(name));
    }

    double number(String name, double otherwise) {
        String found = named.get(name);
        return found == null ? otherwise : Double.parseDouble(found);
    }
}
