package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Dropped;
import java.net.URI;
import java.security.SecureRandom;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where the mesh leads, by names in place of hosts that are no app's: by them the library's pools tell connections apart, and by them it is known
 * what is to be opened. That of an endpoint goes with the endpoint. Thread-safe.
 */
final class Ways {
    /** No host is called so: URIs know an authority with it only as one without a host. Nor can anybody who gives the app a URL guess it. */
    private static final String PREFIX = "weft_mesh_" + Long.toHexString(new SecureRandom().nextLong()) + "_";

    private record Place(String host, int port) {}

    private final Map<Place, Destination> byPlace = new ConcurrentHashMap<>();
    private final Map<String, Destination> destinations = new ConcurrentHashMap<>();
    private final Map<String, Way> ways = new ConcurrentHashMap<>();
    private final Attached<Map<Destination, Way>> ofEndpoints = new Attached<>();
    private final Dropped dropped = new Dropped();
    private final AtomicLong numbers = new AtomicLong();
    private final Set<Object> pools = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
    private final Internals internals;

    Ways(Internals internals) {
        this.internals = internals;
    }

    static boolean isOurs(String host) {
        return host.startsWith(PREFIX);
    }

    /** The library takes what has no host for its authority. */
    private static RequestKey key(String name, int port) {
        return new RequestKey(null, URI.create("http://" + name + ":" + port));
    }

    /**
     * Null: none has been {@link #destination made}.
     *
     * @param host in brackets where it is an IPv6 address
     */
    Destination known(String host, int port) {
        return byPlace.get(new Place(host, port));
    }

    /** As that which is known, or from now on. */
    Destination destination(String host, int port) {
        return byPlace.computeIfAbsent(new Place(host, port), place -> {
            String name = PREFIX + numbers.incrementAndGet();
            Destination made = new Destination(host, port, key(host, port), key(name, port));
            destinations.put(name, made);
            return made;
        });
    }

    /** Null: the name is of a way. */
    Destination destinationCalled(String name) {
        return destinations.get(name);
    }

    /** Null: its endpoint has gone. */
    Way wayCalled(String name) {
        return ways.get(name);
    }

    /** Of a client. */
    void areIn(Object connections) {
        pools.add(connections);
    }

    Way way(Destination from, Endpoint to) {
        Map<Destination, Way> known = ofEndpoints.of(to);
        Way way = known == null ? null : known.get(from);
        return way != null ? way : begin(from, to);
    }

    private synchronized Way begin(Destination from, Endpoint to) {
        Map<Destination, Way> known = ofEndpoints.of(to);
        if (known == null) {
            known = new ConcurrentHashMap<>();
            ofEndpoints.put(to, known);
        }
        return known.computeIfAbsent(from, first -> {
            String name = PREFIX + numbers.incrementAndGet();
            Way made = new Way(key(name, to.address().getPort()), from, to);
            ways.put(name, made);
            dropped.then(to, () -> goes(name));
            return made;
        });
    }

    private void goes(String name) {
        Way way = ways.remove(name);
        way.goes();
        synchronized (pools) {
            pools.forEach(connections -> internals.forget(connections, way.key()));
        }
    }
}
