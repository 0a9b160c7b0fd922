// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import java.nio.charset.StandardCharsets;

public class UserToUserInfo {
    protected short type;
    protected byte[] data;

    public UserToUserInfo(String text) {
        this.type = 4;
        this.data = text.getBytes(StandardCharsets.ISO_8859_1);
    }

    public UserToUserInfo(byte[] data) {
        this.data = data;
    }

    public String getString() {
        return new String(data, StandardCharsets.ISO_8859_1);
    }

    public byte[] getBytes() {
        return data;
    }

    public boolean isAscii() {
        return type == 4;
    }
}
