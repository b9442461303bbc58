package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.route.HeaderTest;
import io.weft.policy.model.HttpFilter.Abort;
import io.weft.policy.model.HttpFilter.Delay;
import io.weft.policy.model.HttpFilter.Fault;
import io.weft.policy.model.HttpFilter.ResponseRate;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@code envoy.filters.http.fault}: delays requests, answers them with an error and slows responses down, on purpose. A delay comes
 * before an abort. However many faults one request has, it counts once as active, until it ends.
 */
final class FaultFilter extends HttpFilter {
    private static final String ABORTED = "fault filter abort";
    private static final String NODE = "x-envoy-downstream-service-node";
    private static final String DELAY = "x-envoy-fault-delay-request";
    private static final String DELAY_PERCENTAGE = DELAY + "-percentage";
    private static final String ABORT = "x-envoy-fault-abort-request";
    private static final String ABORT_PERCENTAGE = ABORT + "-percentage";
    private static final String GRPC_ABORT = "x-envoy-fault-abort-grpc-request";
    private static final String RATE = "x-envoy-fault-throughput-response";
    private static final String RATE_PERCENTAGE = RATE + "-percentage";
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final long BYTES_PER_KIB = 1024;
    private static final long MAX_DELAY_MILLIS = Long.MAX_VALUE / NANOS_PER_MILLI / 4;

    private final String upstreamCluster;
    private final HeaderTest[] headers;
    private final Set<String> nodes;
    private final int maxActive;
    private final AtomicInteger active = new AtomicInteger();

    // Each null where there is no such fault.
    private final Delay delay;
    private final Share delayed;
    private final Abort abort;
    private final Share aborted;
    private final ResponseRate rate;
    private final Share slowed;

    FaultFilter(Fault fault, Randomness randomness) {
        upstreamCluster = fault.upstreamCluster();
        headers = HeaderTest.of(fault.headers());
        nodes = fault.downstreamNodes();
        maxActive = fault.maxActive();
        delay = fault.delay().orElse(null);
        delayed = delay == null ? null : new Share(delay.percentage(), randomness);
        abort = fault.abort().orElse(null);
        aborted = abort == null ? null : new Share(abort.percentage(), randomness);
        rate = fault.responseRate().orElse(null);
        slowed = rate == null ? null : new Share(rate.percentage(), randomness);
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        RequestHead head = stream.head();
        if (!isMeant(stream, head)) {
            return Decision.CONTINUE;
        }
        long bytesPerSecond = rate == null ? 0 : bytesPerSecond(head);
        if (bytesPerSecond > 0 && begin(stream)) {
            stream.limitResponseRate(bytesPerSecond);
        }
        long nanos = delay == null ? 0 : delayNanos(head);
        if (nanos > 0 && begin(stream)) {
            stream.flag(ResponseFlag.DI);
            return stream.delay(nanos);
        }
        return abort(stream);
    }

    @Override
    public Decision afterDelay(HttpStream stream) {
        return abort(stream);
    }

    @Override
    public void onEnd(HttpStream stream) {
        if (stream.kept() != null) {
            active.decrementAndGet();
        }
    }

    private boolean isMeant(HttpStream stream, RequestHead head) {
        if (!upstreamCluster.isEmpty() && !upstreamCluster.equals(stream.upstreamCluster())) {
            return false;
        }
        if (!nodes.isEmpty()) {
            String node = head.header(NODE);
            if (node == null || !nodes.contains(node)) {
                return false;
            }
        }
        return HeaderTest.all(headers, head);
    }

    private long delayNanos(RequestHead head) {
        if (delay.fixed().isPresent()) {
            return delayed.includesOne() ? delay.fixed().get().toNanos() : 0;
        }
        long millis = HeaderNumber.of(head.header(DELAY));
        return millis > 0 && delayed.includesOne(head.header(DELAY_PERCENTAGE))
                ? Math.min(millis, MAX_DELAY_MILLIS) * NANOS_PER_MILLI
                : 0;
    }

    private long bytesPerSecond(RequestHead head) {
        long kib = rate.kibPerSecond();
        if (kib > 0) {
            return slowed.includesOne() ? bytes(kib) : 0;
        }
        kib = HeaderNumber.of(head.header(RATE));
        return kib > 0 && slowed.includesOne(head.header(RATE_PERCENTAGE)) ? bytes(kib) : 0;
    }

    private static long bytes(long kib) {
        return kib > Long.MAX_VALUE / BYTES_PER_KIB ? Long.MAX_VALUE : kib * BYTES_PER_KIB;
    }

    private Decision abort(HttpStream stream) {
        if (abort == null) {
            return Decision.CONTINUE;
        }
        RequestHead head = stream.head();
        int http = abort.httpStatus();
        int grpc = abort.grpcStatus();
        boolean byHeader = http == 0 && grpc < 0;
        if (byHeader) {
            http = (int) HeaderNumber.of(head.header(ABORT));
            http = http >= 200 && http < 600 ? http : 0;
            grpc = http > 0 ? -1 : (int) HeaderNumber.of(head.header(GRPC_ABORT));
            if (http == 0 && grpc < 0) {
                return Decision.CONTINUE;
            }
        }
        boolean included = byHeader ? aborted.includesOne(head.header(ABORT_PERCENTAGE)) : aborted.includesOne();
        if (!included || !begin(stream)) {
            return Decision.CONTINUE;
        }
        stream.flag(ResponseFlag.FI, "fault_filter_abort");
        if (grpc >= 0) {
            return stream.reply(stream.isGrpc() ? LocalReply.grpc(grpc, ABORTED) : LocalReply.of(200, ABORTED));
        }
        return stream.reply(LocalReply.of(http, ABORTED));
    }

    /** @return false: too many are active already */
    private boolean begin(HttpStream stream) {
        if (stream.kept() != null) {
            return true;
        }
        if (active.incrementAndGet() > maxActive) {
            active.decrementAndGet();
            return false;
        }
        stream.keep(this);
        return true;
    }
}
