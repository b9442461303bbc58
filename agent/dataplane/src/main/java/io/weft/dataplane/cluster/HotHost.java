package io.weft.dataplane.cluster;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.metrics.RequestMeter;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/**
 * The part of a {@link Host} that every request reads or writes. A class of its own, since a virtual machine lays out the fields of
 * a superclass together and first: a request fetches one or two cache lines of a host, and not one for each field.
 */
abstract sealed class HotHost permits Host {
    private static final AtomicIntegerFieldUpdater<HotHost> ACTIVE =
            AtomicIntegerFieldUpdater.newUpdater(HotHost.class, "active");
    private static final AtomicIntegerFieldUpdater<HotHost> ROW_5XX =
            AtomicIntegerFieldUpdater.newUpdater(HotHost.class, "row5xx");
    private static final AtomicIntegerFieldUpdater<HotHost> ROW_GATEWAY =
            AtomicIntegerFieldUpdater.newUpdater(HotHost.class, "rowGateway");
    private static final AtomicLongFieldUpdater<HotHost> SUCCESSES =
            AtomicLongFieldUpdater.newUpdater(HotHost.class, "successes");
    private static final AtomicLongFieldUpdater<HotHost> RATE = AtomicLongFieldUpdater.newUpdater(HotHost.class, "rate");

    private volatile int active;
    private volatile long successes;
    private volatile long rate;
    private volatile int row5xx;
    private volatile int rowGateway;
    private volatile Endpoint endpoint;
    /** Whether the endpoint is: to ask itself is one more look into memory. */
    private volatile boolean secured;
    private volatile RequestMeter meter;

    HotHost(Endpoint endpoint) {
        this.endpoint = endpoint;
        secured = endpoint.tls() != null;
    }

    /** Whether it is reached over mesh TLS. */
    public final boolean secured() {
        return secured;
    }

    /** Null: nobody has said. */
    public final RequestMeter meter() {
        return meter;
    }

    final void countBy(RequestMeter by) {
        if (meter != by) {
            meter = by;
        }
    }

    /** Another object when it is secured in another way from now on. */
    public final Endpoint endpoint() {
        return endpoint;
    }

    final void secure(ClientTls tls) {
        if (endpoint.tls() != tls) {
            endpoint = new Endpoint(endpoint.address(), tls);
            secured = tls != null;
        }
    }

    public final void requestStarted() {
        ACTIVE.getAndIncrement(this);
    }

    public final void requestEnded() {
        ACTIVE.getAndDecrement(this);
    }

    /** Requests under way. */
    public final int active() {
        return active;
    }

    public final void succeeded() {
        SUCCESSES.getAndIncrement(this);
    }

    public final long successes() {
        return successes;
    }

    /**
     * Of responses; with local errors where those are not split off. Not atomic, which would cost every request a barrier: of two
     * that come at once one may be lost, with its success, and so changes no rate to speak of.
     */
    final void countResponse(boolean success) {
        RATE.lazySet(this, rate + Rate.of(success));
    }

    /** See {@link Rate}. */
    final long rate() {
        return rate;
    }

    final int another5xx() {
        return ROW_5XX.incrementAndGet(this);
    }

    final int anotherGatewayFailure() {
        return ROW_GATEWAY.incrementAndGet(this);
    }

    // The counters are zero nearly always, and then the cache line stays shared between the cores.

    final void end5xxRow() {
        if (row5xx != 0) {
            row5xx = 0;
        }
    }

    final void endGatewayRow() {
        if (rowGateway != 0) {
            rowGateway = 0;
        }
    }
}
