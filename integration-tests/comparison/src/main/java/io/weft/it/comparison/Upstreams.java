package io.weft.it.comparison;

import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Hang;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Reset;
import io.weft.it.harness.Upstream.Respond;
import io.weft.it.harness.Upstream.Then;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The endpoints of all clusters of both sides, which record what arrives under the tag of the exchange that it belongs to.
 *
 * <p>What they do with the attempts of an exchange is in its header {@value #SCRIPT}: steps joined by {@code ;}, one for each
 * attempt, the last for all that follow. A step is {@code reset}, {@code hang}, {@code cut} for a body that breaks off, {@code wait MILLIS STEP}, {@code at ENDPOINT STEP}
 * for one endpoint while all others answer with 200, or do what stands behind {@code else}, or a status with headers:
 * {@code 503|name=value|name=value}. Thread-safe.
 */
final class Upstreams implements AutoCloseable {
    static final String SCRIPT = "x-script";
    static final String TAG = "x-tag";
    static final String OTHERWISE = " else ";
    static final int COUNT = 32;

    /** An endpoint that keeps no connection: libraries try again by themselves, mesh or not, what fails on a kept one. */
    static final int UNKEPT = 6;

    /** The app behind an Envoy, and in the JVM. */
    static final int APP = COUNT;

    /** An endpoint that refuses connections: a port that is taken but not listened on. */
    static final int REFUSING = COUNT + 1;

    record Arrival(int endpoint, RecordedRequest request, long nanos) {}

    private final List<Upstream> upstreams = new ArrayList<>();
    private final Socket refusing = new Socket();
    private final Map<String, List<Arrival>> arrivals = new ConcurrentHashMap<>();

    Upstreams() {
        for (int i = 0; i <= APP; i++) {
            int endpoint = i;
            Upstream upstream = Upstream.start("u" + i);
            upstream.react(request -> react(endpoint, upstream, request));
            upstreams.add(upstream);
        }
        try {
            refusing.bind(new InetSocketAddress("127.0.0.1", 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    InetSocketAddress address(int endpoint) {
        return endpoint == REFUSING
                ? new InetSocketAddress("127.0.0.1", refusing.getLocalPort())
                : upstreams.get(endpoint).address();
    }

    /** Takes what has arrived under a tag. */
    List<Arrival> take(String tag) {
        List<Arrival> arrived = arrivals.remove(tag);
        if (arrived == null) {
            return List.of();
        }
        synchronized (arrived) {
            return List.copyOf(arrived);
        }
    }

    void forget() {
        arrivals.clear();
        upstreams.forEach(Upstream::forgetRequests);
    }

    /** @return what the app is to answer, by the same script; there is no other way for it than to respond */
    Respond arriveAtApp(RecordedRequest request) {
        return (Respond) react(APP, upstreams.get(APP), request);
    }

    private Reaction react(int endpoint, Upstream upstream, RecordedRequest request) {
        long now = System.nanoTime();
        Optional<String> tag = request.header(TAG);
        String[] steps = request.header(SCRIPT).orElse("200").split(";");
        if (tag.isEmpty()) {
            // A health check, which nobody compares by itself.
            return step(steps[0], endpoint, upstream);
        }
        List<Arrival> arrived = arrivals.computeIfAbsent(tag.get(), absent -> new ArrayList<>());
        int attempt;
        synchronized (arrived) {
            attempt = arrived.size();
            arrived.add(new Arrival(endpoint, request, now));
        }
        return step(steps[Math.min(attempt, steps.length - 1)] + (endpoint == UNKEPT ? "|connection=close" : ""), endpoint, upstream);
    }

    private static Reaction step(String step, int endpoint, Upstream upstream) {
        if (step.startsWith("at ")) {
            String[] parts = step.split(" ", 3);
            String[] choices = parts[2].split(OTHERWISE, 2);
            if (Integer.parseInt(parts[1]) == endpoint) {
                return step(choices[0], endpoint, upstream);
            }
            return choices.length > 1 ? step(choices[1], endpoint, upstream) : upstream.ok();
        }
        if (step.startsWith("reset")) {
            return new Reset();
        }
        if (step.startsWith("cut")) {
            return Upstream.send(Then.CLOSE, "cut", "HTTP/1.1 200 OK", "Content-Length: 10");
        }
        if (step.startsWith("hang")) {
            return new Hang();
        }
        if (step.startsWith("wait ")) {
            String[] parts = step.split(" ", 3);
            try {
                Thread.sleep(Long.parseLong(parts[1]));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return step(parts[2], endpoint, upstream);
        }
        String[] parts = step.split("\\|");
        Map<String, String> headers = new LinkedHashMap<>();
        for (int i = 1; i < parts.length; i++) {
            String[] header = parts[i].split("=", 2);
            headers.put(header[0], header[1]);
        }
        int status = Integer.parseInt(parts[0]);
        return new Respond(status, headers, status == 204 || status == 304 ? "" : upstream.name());
    }

    @Override
    public void close() {
        upstreams.forEach(Upstream::close);
        try {
            refusing.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
