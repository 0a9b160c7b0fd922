// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.ITsapiCallIDPrivate;
import com.avaya.jtapi.tsapi.LucentV7Call;
import com.avaya.jtapi.tsapi.UserToUserInfo;
import javax.telephony.Connection;
import javax.telephony.callcenter.ACDAddress;
import javax.telephony.callcenter.CallCenterAddress;
import org.unifiedagent.testpeer.PeerCall;
import org.unifiedagent.testpeer.PeerProvider;

/** A call with the vendor's interface. */
public class VendorCall extends PeerCall implements LucentV7Call, ITsapiCallIDPrivate {
    public VendorCall(PeerProvider provider) {
        super(provider);
    }

    @Override
    public int getTsapiCallID() {
        return id() == null ? 0 : Integer.parseInt(id());
    }

    @Override
    public String getUCID() {
        return ucid;
    }

    @Override
    public UserToUserInfo getUserToUserInfo() {
        return data == null ? null : new UserToUserInfo(data);
    }

    @Override
    public CallCenterAddress getDistributingAddress() {
        return (CallCenterAddress) queueAddress();
    }

    @Override
    public ACDAddress getDeliveringACDAddress() {
        return (ACDAddress) queueAddress();
    }

    @Override
    public CallCenterAddress getDistributingVDNAddress() {
        return getDistributingAddress();
    }

    @Override
    public Connection addParty(String digits, boolean active) {
        return addParty(digits);
    }
}
