// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import javax.xml.stream.XMLStreamException;

/**
 * The socket to AES: one session, requests matched with answers, and the heartbeat. Answers and events are taken in
 * their order.
 */
final class Aes {
    private static final int HEADER_BYTES = 8;
    private static final int LAST_INVOKE_ID = 9998;
    private static final int SESSION_S = 180;
    private static final int CONNECT_MS = 5000;

    private final Maker maker;
    private final Consumer<Node> onEvent;
    private final Runnable onLost;
    private final long requestLimitMs;
    private final boolean numbersOnly;
    private final Map<Integer, Waiting> waiting = new HashMap<>();
    private Socket socket;
    private OutputStream out;
    private String session = "";
    private int lastInvokeId;
    private volatile boolean over;
    private volatile long heartbeatNs;
    private volatile long lastByteNs;
    private volatile long lastAskedNs;

    private record Waiting(CompletableFuture<Node> answer, Consumer<Node> atOnce) {
    }

    Aes(Parameters parameters, Maker maker, Consumer<Node> onEvent, Runnable onLost) {
        this.maker = maker;
        this.onEvent = onEvent;
        this.onLost = onLost;
        this.requestLimitMs = (long) (1000 * parameters.number("x-request-limit-s", 10));
        this.numbersOnly = parameters.is("x-words", "numbers");
        setHeartbeat(parameters.number("x-heartbeat-s", 20));
    }

    void setHeartbeat(double seconds) {
        heartbeatNs = (long) (seconds * 1e9);
    }

    /** Connect to the first server that answers, and log in. Raises what JTAPI has for no provider. */
    void open(Parameters parameters) {
        IOException failure = new IOException("there is no servers= in the provider string");
        for (InetSocketAddress server : parameters.servers) {
            try {
                socket = new Socket();
                socket.setTcpNoDelay(true);
                socket.connect(server, CONNECT_MS);
                out = socket.getOutputStream();
                failure = null;
                break;
            } catch (IOException error) {
                failure = error;
            }
        }
        if (failure != null) {
            throw Errors.<RuntimeException>raise(maker.trouble("no AES: " + failure.getMessage()));
        }
        lastByteNs = System.nanoTime();
        lastAskedNs = lastByteNs;
        new Thread(this::read, "jtapi-test-peer-socket").start();
        try {
            Node answer = ask(Requests.start(parameters.login(), parameters.password(), SESSION_S), node -> { });
            session = answer.textOf("sessionID");
        } catch (RuntimeException error) {
            close();
            throw error;
        }
        new Thread(this::watch, "jtapi-test-peer-heartbeat").start();
    }

    /** Ask and wait. Raises a refusal as JTAPI's exception. {@code atOnce} takes the answer before any later event. */
    Node ask(String document, Consumer<Node> atOnce) {
        if (Deliveries.isDelivering()) {
            throw Errors.<RuntimeException>raise(maker.trouble("a request was made inside a callback"));
        }
        CompletableFuture<Node> answer = new CompletableFuture<>();
        int invokeId = send(document, new Waiting(answer, atOnce));
        try {
            return answer.get(requestLimitMs, TimeUnit.MILLISECONDS);
        } catch (TimeoutException error) {
            forget(invokeId);
            throw Errors.<RuntimeException>raise(maker.trouble("AES did not answer in time"));
        } catch (InterruptedException error) {
            forget(invokeId);
            Thread.currentThread().interrupt();
            throw Errors.<RuntimeException>raise(maker.trouble("interrupted"));
        } catch (ExecutionException error) {
            throw Errors.<RuntimeException>raise(error.getCause());
        }
    }

    /** End the session in order, within a second, and close. */
    void stop() {
        if (!over) {
            CompletableFuture<Node> answer = new CompletableFuture<>();
            send(Requests.stop(session), new Waiting(answer, node -> { }));
            try {
                answer.get(1, TimeUnit.SECONDS);
            } catch (TimeoutException | ExecutionException error) {
                // AES ends the session by itself, for the socket is gone.
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
        }
        close();
    }

    void close() {
        over = true;
        try {
            socket.close();
        } catch (IOException error) {
            // Closed it is.
        }
        Map<Integer, Waiting> left;
        synchronized (waiting) {
            left = new HashMap<>(waiting);
            waiting.clear();
        }
        for (Waiting each : left.values()) {
            each.answer.completeExceptionally(maker.trouble("the link to AES was lost"));
        }
    }

    private void forget(int invokeId) {
        synchronized (waiting) {
            waiting.remove(invokeId);
        }
    }

    private int send(String document, Waiting request) {
        byte[] payload = document.getBytes(StandardCharsets.UTF_8);
        int total = HEADER_BYTES + payload.length;
        int invokeId;
        synchronized (waiting) {
            do {
                lastInvokeId = lastInvokeId % LAST_INVOKE_ID + 1;
            } while (waiting.containsKey(lastInvokeId));
            invokeId = lastInvokeId;
            waiting.put(invokeId, request);
        }
        byte[] frame = new byte[total];
        frame[2] = (byte) (total >> 8);
        frame[3] = (byte) total;
        System.arraycopy(String.format("%04d", invokeId).getBytes(StandardCharsets.US_ASCII), 0, frame, 4, 4);
        System.arraycopy(payload, 0, frame, HEADER_BYTES, payload.length);
        lastAskedNs = System.nanoTime();
        try {
            synchronized (this) {
                out.write(frame);
            }
        } catch (IOException error) {
            lose();
            request.answer.completeExceptionally(maker.trouble("the link to AES was lost"));
        }
        return invokeId;
    }

    private void read() {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 65536))) {
            while (!over) {
                in.readUnsignedShort();
                int length = in.readUnsignedShort();
                int invokeId = Integer.parseInt(new String(in.readNBytes(4), StandardCharsets.US_ASCII));
                lastByteNs = System.nanoTime();
                take(invokeId, Node.read(new String(in.readNBytes(length - HEADER_BYTES), StandardCharsets.UTF_8)));
                lastByteNs = System.nanoTime();
            }
        } catch (IOException | XMLStreamException | NumberFormatException error) {
            // The link is lost, which is what is told below.
        }
        lose();
    }

    private void take(int invokeId, Node message) {
        Waiting request;
        synchronized (waiting) {
            request = waiting.remove(invokeId);
        }
        if (request == null) {
            try {
                onEvent.accept(message);
            } catch (RuntimeException error) {
                error.printStackTrace();
            }
            return;
        }
        Throwable refusal = refusalIn(message);
        if (refusal != null) {
            request.answer.completeExceptionally(refusal);
            return;
        }
        try {
            request.atOnce.accept(message);
            request.answer.complete(message);
        } catch (RuntimeException error) {
            request.answer.completeExceptionally(error);
        }
    }

    private Throwable refusalIn(Node message) {
        Node code = message.name.equals("CSTAErrorCode") ? message : message.find("CSTAErrorCode");
        if (message.name.equals("CSTAErrorCode") || message.name.equals("CSTAException")) {
            Node error = code == null || code.children.isEmpty() ? null : code.children.get(0);
            String errorClass = error == null ? "unspecified" : error.name;
            String value = error == null ? "" : error.text.trim();
            int number = Errors.numberOf(errorClass, value);
            String words = "CSTA error: " + number + (numbersOnly ? "" : " " + errorClass + " " + value);
            return maker.exception(Errors.kindOf(number), Errors.CSTA, number, words);
        }
        if (message.name.equals("StartApplicationSessionNegResponse")) {
            // Assumed: AES tells TSAPI's clients of a wrong login by ACS error 25.
            String why = message.textOf("definedError");
            boolean login = "invalidApplicationInfo".equals(why);
            return maker.exception(Kind.PROVIDER, Errors.ACS, login ? 25 : 23, "ACS error: " + why);
        }
        return message.name.endsWith("NegResponse") ? maker.trouble(message.name) : null;
    }

    /** Ask for a sign of life when there was none for half an interval; nothing for two intervals is a lost link. */
    private void watch() {
        while (!over) {
            long interval = heartbeatNs;
            long now = System.nanoTime();
            if (now - lastByteNs > 2 * interval) {
                lose();
                return;
            }
            if (now - lastAskedNs > Math.min(interval / 2, SESSION_S * 1_000_000_000L / 3)) {
                send(Requests.keepAlive(session, SESSION_S), new Waiting(new CompletableFuture<>(), node -> { }));
            }
            try {
                Thread.sleep(Math.max(10, Math.min(500, interval / 8_000_000)));
            } catch (InterruptedException error) {
                return;
            }
        }
    }

    /** Give the link up, and tell it once. */
    void lose() {
        synchronized (waiting) {
            if (over) {
                return;
            }
            over = true;
        }
        close();
        onLost.run();
    }
}
