// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.ITsapiProvider;
import com.avaya.jtapi.tsapi.LucentV7CallInfo;
import com.avaya.jtapi.tsapi.TsapiInvalidArgumentException;
import com.avaya.jtapi.tsapi.TsapiInvalidPartyException;
import com.avaya.jtapi.tsapi.TsapiInvalidStateException;
import com.avaya.jtapi.tsapi.TsapiMethodNotSupportedException;
import com.avaya.jtapi.tsapi.TsapiPlatformException;
import com.avaya.jtapi.tsapi.TsapiPrivilegeViolationException;
import com.avaya.jtapi.tsapi.TsapiProviderUnavailableException;
import com.avaya.jtapi.tsapi.TsapiResourceUnavailableException;
import javax.telephony.privatedata.PrivateData;
import org.unifiedagent.testpeer.AgentRecord;
import org.unifiedagent.testpeer.Kind;
import org.unifiedagent.testpeer.Parameters;
import org.unifiedagent.testpeer.PeerAddress;
import org.unifiedagent.testpeer.PeerCall;
import org.unifiedagent.testpeer.PeerProvider;
import org.unifiedagent.testpeer.PeerTerminal;
import org.unifiedagent.testpeer.Station;
import org.unifiedagent.testpeer.callcenter.CallCenterMaker;

/** Makes objects that have the vendor's interfaces too. */
public class VendorMaker extends CallCenterMaker {
    /** Fails to load where the class path has none of the vendor's interfaces. */
    public VendorMaker() throws ClassNotFoundException {
        Class.forName("com.avaya.jtapi.tsapi.LucentV5TerminalEx");
    }

    @Override
    public PeerProvider provider(Parameters parameters) {
        return new VendorProvider(parameters, this);
    }

    @Override
    public PeerAddress address(Station station) {
        return new VendorAddress(station);
    }

    @Override
    public PeerAddress queue(Station station) {
        return new VendorQueue(station);
    }

    @Override
    public PeerTerminal terminal(Station station) {
        return new VendorTerminal(station);
    }

    @Override
    public PeerCall call(PeerProvider provider) {
        return new VendorCall(provider);
    }

    @Override
    public Object agent(AgentRecord agent) {
        return new VendorAgent(agent);
    }

    @Override
    public Class<?>[] callInformation() {
        return new Class<?>[] {LucentV7CallInfo.class};
    }

    @Override
    public Class<?>[] agentInformation() {
        return new Class<?>[] {PrivateData.class};
    }

    @Override
    public Object privateReason(int reason) {
        return new PrivateReason(reason);
    }

    @Override
    public Object privateState(int tsapiState) {
        return switch (tsapiState) {
            case ITsapiProvider.TSAPI_OUT_OF_SERVICE -> new PrivateStates.OutOfService();
            case ITsapiProvider.TSAPI_INITIALIZING -> new PrivateStates.Initializing();
            case ITsapiProvider.TSAPI_IN_SERVICE -> new PrivateStates.InService();
            default -> new PrivateStates.Shutdown();
        };
    }

    @Override
    public Throwable exception(Kind kind, int type, int number, String words) {
        return switch (kind) {
            case INVALID_STATE -> new TsapiInvalidStateException(type, number, null, 0, 0, words);
            case INVALID_ARGUMENT -> new TsapiInvalidArgumentException(type, number, words);
            case INVALID_PARTY -> new TsapiInvalidPartyException(type, number, 0, words);
            case PRIVILEGE -> new TsapiPrivilegeViolationException(type, number, 0, words);
            case RESOURCE -> new TsapiResourceUnavailableException(type, number, 0, words);
            case PLATFORM -> new TsapiPlatformException(type, number, words);
            case PROVIDER -> new TsapiProviderUnavailableException(type, number, 0, words);
            case NOT_SUPPORTED -> new TsapiMethodNotSupportedException(type, number, words);
        };
    }
}
