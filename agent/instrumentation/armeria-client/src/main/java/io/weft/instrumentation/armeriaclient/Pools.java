package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.client.Endpoint;
import io.netty.channel.EventLoop;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.RejectedExecutionException;

/**
 * A pool of the library's keeps a place for each key that it has ever seen. Those of a certificate go with it: with each one all endpoints have
 * other keys. Thread-safe.
 */
final class Pools {
    private static final String CLIENT = "com.linecorp.armeria.client.";

    private final MethodHandle ofFactory;
    private final MethodHandle loop;
    private final MethodHandle places;
    private final MethodHandle endpoint;
    private final Attached<Boolean> isKnown = new Attached<>();
    private final Set<Object> factories = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    Pools(AdapterContext context) throws ReflectiveOperationException {
        ofFactory = field(context, "HttpClientFactory", "pools");
        loop = field(context, "HttpChannelPool", "eventLoop");
        places = field(context, "HttpChannelPool", "pool");
        endpoint = field(context, "HttpChannelPool$PoolKey", "endpoint");
    }

    private static MethodHandle field(AdapterContext context, String owner, String name) throws ReflectiveOperationException {
        Lookup lookup = context.lookup(CLIENT + owner);
        return lookup.unreflectGetter(lookup.lookupClass().getDeclaredField(name)).asType(MethodType.methodType(Object.class, Object.class));
    }

    /** @param factory whose pools will have keys with such hosts */
    void use(Object factory) {
        if (isKnown.of(factory) == null) {
            isKnown.put(factory, Boolean.TRUE);
            factories.add(factory);
        }
    }

    /** Nobody will ask for it any more. On the agent's own thread. */
    void forget(String host) {
        List<Object> all;
        synchronized (factories) {
            all = List.copyOf(factories);
        }
        for (Object factory : all) {
            try {
                for (Object pool : ((Map<?, ?>) (Object) ofFactory.invokeExact(factory)).values()) {
                    forget(pool, host);
                }
            } catch (RejectedExecutionException closed) {
                // With all that it had.
                continue;
            } catch (Throwable fault) {
                throw new IllegalStateException(fault);
            }
        }
    }

    /** What a pool has is for its event loop. */
    private void forget(Object pool, String host) throws Throwable {
        Map<?, ?>[] byProtocol = (Map<?, ?>[]) (Object) places.invokeExact(pool);
        ((EventLoop) (Object) loop.invokeExact(pool)).execute(() -> {
            for (Map<?, ?> connections : byProtocol) {
                if (connections != null) {
                    connections.entrySet().removeIf(place -> ((Collection<?>) place.getValue()).isEmpty() && isAt(place.getKey(), host));
                }
            }
        });
    }

    private boolean isAt(Object key, String host) {
        try {
            return ((Endpoint) (Object) endpoint.invokeExact(key)).host().equals(host);
        } catch (Throwable fault) {
            throw new IllegalStateException(fault);
        }
    }
}
