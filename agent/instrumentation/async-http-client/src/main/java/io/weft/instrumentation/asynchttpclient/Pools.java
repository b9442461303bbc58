package io.weft.instrumentation.asynchttpclient;

import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Dropped;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import org.asynchttpclient.channel.ChannelPool;

/**
 * A pool of the library's keeps a place for each key that it has ever seen. That of an endpoint goes with the endpoint: they come and go
 * with every deployment, and with each certificate. Thread-safe.
 */
final class Pools {
    private final Attached<Set<ChannelPool>> known = new Attached<>();
    private final Dropped dropped = new Dropped();

    /** For connections, not for requests. */
    void keeps(ChannelPool pool, Endpoint endpoint) {
        Set<ChannelPool> ofEndpoint = known.of(endpoint);
        if (ofEndpoint == null) {
            ofEndpoint = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
            known.put(endpoint, ofEndpoint);
        }
        if (ofEndpoint.add(pool)) {
            WeakReference<ChannelPool> of = new WeakReference<>(pool);
            dropped.then(endpoint, () -> flush(of.get()));
        }
    }

    private static void flush(ChannelPool pool) {
        if (pool != null) {
            pool.flushPartitions(key -> key instanceof EndpointKey mesh && mesh.isGone());
        }
    }
}
