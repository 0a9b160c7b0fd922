// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public class UserToUserInfo {
    protected short type;
    protected byte[] data;

    public UserToUserInfo(String text) {
        this.type = 4;
        this.data = text.getBytes();
    }

    public UserToUserInfo(byte[] data) {
        this.data = data;
    }

    public String getString() {
        return new String(data);
    }

    public byte[] getBytes() {
        return data;
    }

    public boolean isAscii() {
        return type == 4;
    }
}
