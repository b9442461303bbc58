package io.weft.instrumentation.vertx;

import io.netty.channel.Channel;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Dropped;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How long connecting to an endpoint may take, as Netty is told where it begins: what waits in the library's pool for a place does not
 * connect. Whoever has two limits for one address has the one that was set last. Thread-safe.
 */
final class ConnectLimits {
    private final Map<InetSocketAddress, AtomicInteger> millis = new ConcurrentHashMap<>();
    private final Dropped dropped = new Dropped();
    private final Runnable wake;

    /** @param wake before the first connection */
    ConnectLimits(Runnable wake) {
        this.wake = wake;
    }

    /** Before the library may connect there. */
    void set(Endpoint endpoint, long nanos) {
        InetSocketAddress address = endpoint.address();
        int whole = (int) Math.max(1, Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(nanos)));
        AtomicInteger limit = millis.get(address);
        if (limit == null) {
            limit = add(endpoint, address, whole);
        }
        if (limit.get() != whole) {
            limit.set(whole);
        }
    }

    private AtomicInteger add(Endpoint endpoint, InetSocketAddress address, int whole) {
        wake.run();
        AtomicInteger added = new AtomicInteger(whole);
        AtomicInteger other = millis.putIfAbsent(address, added);
        if (other != null) {
            return other;
        }
        dropped.then(endpoint, () -> millis.remove(address, added));
        return added;
    }

    /** The app's own limit stays where it is less. */
    void limit(Channel channel, Object remote) {
        AtomicInteger limit = remote instanceof InetSocketAddress address ? millis.get(address) : null;
        if (limit != null) {
            int apps = channel.config().getConnectTimeoutMillis();
            if (apps <= 0 || apps > limit.get()) {
                channel.config().setConnectTimeoutMillis(limit.get());
            }
        }
    }
}
