package io.weft.dataplane.accesslog;

import io.weft.dataplane.ContentLength;
import io.weft.dataplane.Headers;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.filter.HttpFilter;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.AccessLog;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The access logs of a connection manager, as the filter before all others: it sees each request first and each response last. A
 * line is made when the response is over, from what of the response's head is asked for; the head itself may be gone by then.
 */
public final class LogRequests extends HttpFilter {
    private final NanoClock clock;
    private final ProcessInfo process;
    private final AccessLogSink sink;
    private final Log[] logs;
    private final String[] responseHeaders;

    private record Log(String path, LineWriter line, LogTest test) {}

    public LogRequests(List<AccessLog> logs, NanoClock clock, ProcessInfo process, AccessLogSink sink) {
        this.clock = clock;
        this.process = process;
        this.sink = sink;
        Set<String> asked = new TreeSet<>(Set.of("content-length", "grpc-status"));
        List<Log> compiled = new ArrayList<>(logs.size());
        for (AccessLog log : logs) {
            compiled.add(new Log(
                    log.path(), LineWriter.of(log.line(), process, asked), LogTest.of(log.filter(), process.randomness())));
        }
        this.logs = compiled.toArray(new Log[0]);
        responseHeaders = asked.toArray(new String[0]);
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        stream.keep(new Entry(stream, process.clock().instant(), clock.nanoTime()));
        return Decision.CONTINUE;
    }

    @Override
    public void onResponse(HttpStream stream) {
        if (stream.kept() instanceof Entry entry) {
            entry.responseNanos = clock.nanoTime() - entry.startNanos;
            Headers head = stream.responseHead();
            for (String name : responseHeaders) {
                String value = head.header(name);
                if (value != null) {
                    entry.response.put(name, value);
                }
            }
        }
    }

    @Override
    public void onEnd(HttpStream stream) {
        if (stream.kept() instanceof Entry entry) {
            entry.durationNanos = clock.nanoTime() - entry.startNanos;
            RequestHead request = new LoggedHead(stream.sentHead(), stream.path());
            Headers response = entry.response::get;
            for (Log log : logs) {
                if (log.test().matches(request, response, entry)) {
                    sink.write(log.path(), log.line().line(request, response, entry));
                }
            }
        }
    }

    /**
     * A request as it was sent, with the header by which an Envoy tells what a route has rewritten: its default format asks for it.
     *
     * @param original the path as the app has it
     */
    private record LoggedHead(RequestHead sent, String original) implements RequestHead {
        private static final String ORIGINAL_PATH = "x-envoy-original-path";

        @Override
        public String method() {
            return sent.method();
        }

        @Override
        public String scheme() {
            return sent.scheme();
        }

        @Override
        public String authority() {
            return sent.authority();
        }

        @Override
        public String path() {
            return sent.path();
        }

        @Override
        public String header(String name) {
            String value = sent.header(name);
            return value == null && name.equals(ORIGINAL_PATH) && !original.equals(sent.path()) ? original : value;
        }

        @Override
        public List<String> values(String name) {
            List<String> values = sent.values(name);
            return values.isEmpty() && header(name) != null ? List.of(header(name)) : values;
        }
    }

    /** One request, with its times. */
    private static final class Entry implements StreamInfo {
        private final HttpStream stream;
        private final Instant start;
        private final long startNanos;
        private final Map<String, String> response = new HashMap<>();
        private long responseNanos = -1;
        private long durationNanos = -1;

        Entry(HttpStream stream, Instant start, long startNanos) {
            this.stream = stream;
            this.start = start;
            this.startNanos = startNanos;
        }

        @Override
        public Instant startTime() {
            return start;
        }

        @Override
        public long durationNanos() {
            return durationNanos;
        }

        @Override
        public long responseNanos() {
            return responseNanos;
        }

        @Override
        public long requestBytes() {
            long known = stream.requestBodyBytes();
            // Of few in a rush, else: those that metrics time.
            return known >= 0 ? known : stream.bodyLength();
        }

        @Override
        public long responseBytes() {
            long known = stream.responseBodyBytes();
            return known >= 0 ? known : ContentLength.of(response.get("content-length"));
        }

        @Override
        public String protocol() {
            return stream.protocol();
        }

        @Override
        public int responseCode() {
            return stream.responseCode();
        }

        @Override
        public String responseCodeDetails() {
            return stream.responseCodeDetails();
        }

        @Override
        public int responseFlags() {
            return stream.responseFlags();
        }

        /** As in Envoy: it is for whoever words the reply. */
        @Override
        public String localReplyBody() {
            return "";
        }

        @Override
        public String routeName() {
            return stream.routeName();
        }

        @Override
        public String upstreamCluster() {
            return stream.upstreamCluster();
        }

        @Override
        public InetSocketAddress upstreamHost() {
            return stream.upstreamHost();
        }

        @Override
        public int attemptCount() {
            return stream.attemptCount();
        }

        @Override
        public InetSocketAddress downstreamRemote() {
            return stream.downstreamRemote();
        }

        @Override
        public InetSocketAddress downstreamDirectRemote() {
            return stream.downstreamDirectRemote();
        }

        @Override
        public InetSocketAddress downstreamLocal() {
            return stream.downstreamLocal();
        }

        @Override
        public String peerUriSans() {
            return stream.peerUriSans();
        }

        @Override
        public String filterState(String key) {
            return stream.filterState(key);
        }
    }
}
