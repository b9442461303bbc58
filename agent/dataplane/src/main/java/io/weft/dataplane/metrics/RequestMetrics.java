package io.weft.dataplane.metrics;

import io.weft.dataplane.Connection;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.Timers;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.metrics.RequestStats.Direction;
import io.weft.policy.load.InboundRefusals;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts every request of this process once, when it is over, and times it: every one, up to a thousand a second. Beyond that one in
 * sixteen is timed, by chance, and stands for sixteen: to read the clock twice costs a request more than all its other figures do. How long
 * its body and its response's are is looked at for those that are timed, as far as a head says it or the library tells what goes by.
 * Thread-safe, without locks on the request path.
 */
public final class RequestMetrics {
    private static final int ALL_UP_TO = 1_000;
    private static final int ONE_IN = 16;
    private static final long PERIOD_NANOS = 1_000_000_000L;
    /** Further callers are counted together. */
    private static final int MAX_CALLERS = 256;
    /** Of a request that is being measured and not timed. */
    private static final int UNTIMED = -1;

    private final NanoClock clock;
    private final Randomness randomness;
    private final Timers timers;
    /** Requests timed since {@link #secondNanos}. Two threads that begin a second at once may lose a few: it is only a limit. */
    private final AtomicInteger timed = new AtomicInteger();
    private volatile long secondNanos;
    private volatile boolean sampling;

    private final RequestMeter unrouted = new RequestMeter(Direction.OUTBOUND, "", Peer.UNKNOWN);
    private final RequestMeter unknownCaller = new RequestMeter(Direction.INBOUND, "", Peer.UNKNOWN);
    /** Guarded by itself. */
    private final Map<String, RequestMeter> callers = new HashMap<>();

    public RequestMetrics(NanoClock clock, Randomness randomness, Timers timers) {
        this.clock = clock;
        this.randomness = randomness;
        this.timers = timers;
        secondNanos = clock.nanoTime();
    }

    /** One request, from its beginning to its end: part of the object that stands for it. For one thread at a time. */
    public abstract static class Measured {
        private static final long UNKNOWN = Long.MIN_VALUE;

        private long startNanos;
        /** 0: it has not begun, or is over. */
        private int weight;
        /** Of the body: the bytes that have passed; or, while none has been seen, the complement of what its head announces; or not known. */
        private long requestBytes;
        private long responseBytes;

        /** Whether it is worth a look what the heads announce. */
        public final boolean isTimed() {
            return weight > 0;
        }

        /** @param bytes of its body; negative: its head does not say */
        public final void announcesRequest(long bytes) {
            requestBytes = bytes < 0 ? UNKNOWN : ~bytes;
        }

        /**
         * The attempt has a response.
         *
         * @param bytes of its body; negative: its head does not say
         */
        public final void announcesResponse(long bytes) {
            responseBytes = bytes < 0 ? UNKNOWN : ~bytes;
        }

        /** A part of the request's body went by. What was announced is sent as often as there are attempts, and counts once. */
        protected final void requestPasses(long bytes) {
            if (requestBytes >= 0 || requestBytes == UNKNOWN) {
                requestBytes = Math.max(0, requestBytes) + bytes;
            }
        }

        /** A part of the response's body went by. */
        protected final void responsePasses(long bytes) {
            responseBytes = Math.max(0, responseBytes) + bytes;
        }

        /** As many bytes of the response's body went by as the server says at its end, unless the head has announced that there is none. */
        public final void endsResponse(long bytes) {
            if (responseBytes != ~0L) {
                responseBytes = bytes;
            }
        }

        /** What is known now of how long the request's body is; -1: nothing. */
        public final long requestBodyBytes() {
            return known(requestBytes);
        }

        /** Likewise of the response's. */
        public final long responseBodyBytes() {
            return known(responseBytes);
        }

        private static long known(long bytes) {
            return bytes == UNKNOWN ? -1 : bytes < 0 ? ~bytes : bytes;
        }
    }

    /** Again before its end it does nothing. */
    public void begin(Measured request) {
        begin(request, sampling ? randomness.bits() : 0);
    }

    /** @param random bits of the request's own */
    public void begin(Measured request, long random) {
        if (request.weight != 0) {
            return;
        }
        request.requestBytes = Measured.UNKNOWN;
        request.responseBytes = Measured.UNKNOWN;
        if (!sampling) {
            time(request, 1);
        } else if ((random & ONE_IN - 1) == 0) {
            time(request, ONE_IN);
        } else {
            request.weight = UNTIMED;
        }
    }

    private void time(Measured request, int weight) {
        long now = clock.nanoTime();
        request.weight = weight;
        request.startNanos = now;
        if (now - secondNanos >= PERIOD_NANOS && !sampling) {
            secondNanos = now;
            timed.set(1);
        } else if (timed.incrementAndGet() == ALL_UP_TO && !sampling) {
            sampling = true;
            timers.schedule(PERIOD_NANOS, this::nextSecond);
        }
    }

    /** On the timers' thread, while sampling: whoever comes after a rush must not wait for a request that is timed by chance. */
    private void nextSecond() {
        if (timed.getAndSet(0) * ONE_IN >= ALL_UP_TO) {
            timers.schedule(PERIOD_NANOS, this::nextSecond);
        } else {
            secondNanos = clock.nanoTime();
            sampling = false;
        }
    }

    /** The request is over. Again it does nothing. */
    public void end(Measured request, RequestMeter meter, int code, boolean grpc, int grpcStatus, int flags, boolean secured,
            boolean byMesh) {
        int weight = request.weight;
        if (weight == 0) {
            return;
        }
        request.weight = 0;
        long outcome = Outcome.pack(code, grpc, grpcStatus, flags, secured, byMesh);
        if (weight == UNTIMED) {
            meter.count(outcome);
        } else {
            meter.count(outcome, clock.nanoTime() - request.startNanos, request.requestBodyBytes(), request.responseBodyBytes(),
                    weight);
        }
    }

    /** The request turned out to be none of the mesh's. */
    public void forget(Measured request) {
        request.weight = 0;
    }

    /** For requests that go to no cluster. */
    public RequestMeter unrouted() {
        return unrouted;
    }

    /** For requests over the connection; looked for once for all of them. */
    public RequestMeter caller(Connection connection) {
        Connection.Peer peer = connection.peer();
        if (peer == null || peer.uriSans().isEmpty()) {
            return unknownCaller;
        }
        Object known = connection.kept(this);
        return (RequestMeter) (known == null ? connection.kept(this, metrics -> caller(peer.uriSans().get(0))) : known);
    }

    private RequestMeter caller(String spiffeId) {
        synchronized (callers) {
            RequestMeter known = callers.get(spiffeId);
            if (known != null || callers.size() >= MAX_CALLERS) {
                return known == null ? unknownCaller : known;
            }
            RequestMeter meter = new RequestMeter(Direction.INBOUND, "", Peer.identity(spiffeId));
            callers.put(spiffeId, meter);
            return meter;
        }
    }

    /** Of the requests that came in. */
    public InboundRefusals refusals() {
        long permission = 0;
        long rateLimit = 0;
        long fault = 0;
        for (RequestStats stats : stats()) {
            Outcome outcome = stats.outcome();
            if (stats.direction() != Direction.INBOUND || !outcome.byMesh()) {
                continue;
            }
            if (outcome.has(ResponseFlag.RL)) {
                rateLimit += stats.requests();
            } else if (outcome.has(ResponseFlag.FI)) {
                fault += stats.requests();
            } else if (outcome.refused()) {
                permission += stats.requests();
            }
        }
        return new InboundRefusals(permission, rateLimit, fault);
    }

    /** Of all requests but those to clusters. */
    public List<RequestStats> stats() {
        List<RequestStats> stats = new ArrayList<>(unrouted.stats());
        stats.addAll(unknownCaller.stats());
        List<RequestMeter> known;
        // The first request of a connection waits for it.
        synchronized (callers) {
            known = List.copyOf(callers.values());
        }
        known.forEach(meter -> stats.addAll(meter.stats()));
        return stats;
    }
}
