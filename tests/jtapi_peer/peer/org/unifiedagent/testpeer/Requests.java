// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.nio.charset.StandardCharsets;

/** Writes what is asked of AES, as one line of XML each. */
final class Requests {
    private static final String CSTA = "http://www.ecma-international.org/standards/ecma-323/csta/ed3";
    private static final String SESSION = "http://www.ecma-international.org/standards/ecma-354/appl_session";
    private static final String AVAYA = "http://www.avaya.com/csta";
    private static final String[] STATUS = {
        "initializing", "enabled", "normal", "messageLost", "disabled", "partiallyDisabled", "overloadImminent",
        "overloadReached", "overloadRelieved"
    };
    private static final String[] CALL_EVENTS = {
        "callCleared", "conferenced", "connectionCleared", "delivered", "diverted", "established", "failed", "held",
        "networkReached", "originated", "queued", "retrieved", "serviceInitiated", "transferred"
    };
    private static final String[] AGENT_EVENTS = {
        "agentBusy", "agentLoggedOn", "agentLoggedOff", "agentNotReady", "agentReady", "agentWorkingAfterCall"
    };

    private Requests() {
    }

    private static String csta(String name, String content) {
        return document(name, CSTA, content);
    }

    private static String document(String name, String namespace, String content) {
        String begin = "<" + name + " xmlns=\"" + namespace + "\">";
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + begin + content + "</" + name + ">";
    }

    private static String element(String name, String content) {
        return content == null ? "" : "<" + name + ">" + content + "</" + name + ">";
    }

    private static String text(String name, String content) {
        return content == null ? "" : element(name, escaped(content));
    }

    private static String escaped(String content) {
        return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private static String all(String[] names, String around) {
        StringBuilder content = new StringBuilder();
        for (String each : names) {
            content.append(element(each, "true"));
        }
        return element(around, content.toString());
    }

    private static String vendor(String name, String content) {
        String inside = "<a:" + name + " xmlns:a=\"" + AVAYA + "\">" + content + "</a:" + name + ">";
        return element("extensions", element("privateData", element("private", inside)));
    }

    private static String hex(String content) {
        StringBuilder digits = new StringBuilder();
        for (byte each : content.getBytes(StandardCharsets.UTF_8)) {
            digits.append(String.format("%02X", each));
        }
        return digits.toString();
    }

    private static String connection(String name, Part part) {
        return element(name, text("callID", part.call()) + text("deviceID", part.device()));
    }

    // The session

    static String start(String user, String password, int durationS) {
        String login = "<a:SessionLoginInfo xmlns:a=\"" + AVAYA + "\""
            + " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"a:SessionLoginInfo\">"
            + text("a:userName", user) + text("a:password", password)
            + element("a:sessionCleanupDelay", "0") + "</a:SessionLoginInfo>";
        return document("StartApplicationSession", SESSION,
            element("applicationInfo",
                element("applicationID", "jtapi-test-peer") + element("applicationSpecificInfo", login))
                + element("requestedProtocolVersions", element("protocolVersion", CSTA + "/priv7"))
                + element("requestedSessionDuration", String.valueOf(durationS)));
    }

    static String keepAlive(String session, int durationS) {
        return document("ResetApplicationSessionTimer", SESSION,
            text("sessionID", session) + element("requestedSessionDuration", String.valueOf(durationS)));
    }

    static String stop(String session) {
        return document("StopApplicationSession", SESSION,
            text("sessionID", session) + element("sessionEndReason", element("definedEndReason", "normal")));
    }

    // The system and its devices

    static String register(String switchName) {
        return csta("SystemRegister", element("requestTypes", element("systemStatus", "true"))
            + all(STATUS, "requestedStatusFilter")
            + vendor("SystemRegisterPrivateData",
                element("a:invertFilter", "true") + text("a:switchName", switchName)));
    }

    static String status(String registration) {
        return csta("RequestSystemStatus", text("sysStatRegisterID", registration));
    }

    static String device(String switchName, String number) {
        return document("GetThirdPartyDeviceId", AVAYA, text("switchName", switchName) + text("extension", number));
    }

    static String monitor(String device, boolean agents) {
        return csta("MonitorStart", element("monitorObject", text("deviceObject", device))
            + element("requestedMonitorFilter",
                all(CALL_EVENTS, "callcontrol") + all(agents ? AGENT_EVENTS : new String[0], "logicalDeviceFeature"))
            + element("monitorType", "device") + vendor("AvayaEvents", element("a:invertFilter", "true")));
    }

    static String endMonitor(String monitor) {
        return csta("MonitorStop", text("monitorCrossRefID", monitor));
    }

    static String calls(String device) {
        return csta("SnapshotDevice", text("snapshotObject", device));
    }

    static String parties(Part part) {
        return csta("SnapshotCall", connection("snapshotObject", part));
    }

    // Agents

    static String agentState(String device) {
        return csta("GetAgentState", text("device", device));
    }

    static String setAgentState(
        String device, String state, String agent, String password, String workMode, Integer reason, boolean mayWait) {
        String own = text("a:workMode", workMode)
            + (reason == null ? "" : element("a:reasonCode", reason.toString()))
            + (mayWait ? element("a:enablePending", "true") : "");
        return csta("SetAgentState", text("device", device)
            + element("requestedAgentState", state) + text("agentID", agent)
            + (password == null ? "" : element("password", hex(password)))
            + (own.isEmpty() ? "" : vendor("SetAgentStatePrivateData", own)));
    }

    // Calls

    static String makeCall(String device, String number) {
        return csta("MakeCall",
            text("callingDevice", device) + text("calledDirectoryNumber", number)
                + element("autoOriginate", "doNotPrompt"));
    }

    static String answer(Part part) {
        return csta("AnswerCall", connection("callToBeAnswered", part));
    }

    static String hold(Part part) {
        return csta("HoldCall", connection("callToBeHeld", part));
    }

    static String retrieve(Part part) {
        return csta("RetrieveCall", connection("callToBeRetrieved", part));
    }

    static String clear(Part part) {
        return csta("ClearConnection", connection("connectionToBeCleared", part));
    }

    static String consult(Part part, String number) {
        return csta("ConsultationCall", connection("existingCall", part) + text("consultedDevice", number));
    }

    static String transfer(Part held, Part active) {
        return csta("TransferCall", connection("heldCall", held) + connection("activeCall", active));
    }

    static String conference(Part held, Part active) {
        return csta("ConferenceCall", connection("heldCall", held) + connection("activeCall", active));
    }

    static String transferTo(Part part, String number) {
        return csta("SingleStepTransferCall", connection("activeCall", part) + text("transferredTo", number));
    }

    static String addParty(Part part, String number) {
        return csta("SingleStepConferenceCall", connection("activeCall", part) + text("deviceToJoin", number)
            + element("participationType", "active"));
    }

    static String redirect(Part part, String number) {
        return csta("DeflectCall", connection("callToBeDiverted", part) + text("newDestination", number));
    }

    static String tones(Part part, String digits) {
        return csta("GenerateDigits",
            connection("connectionToSendDigits", part) + element("digitMode", "dTMF")
                + text("charactersToSend", digits));
    }

    /** A device's part in a call, as AES names them. */
    record Part(String call, String device) {
    }
}
