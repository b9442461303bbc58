package io.weft.instrumentation.jettyclientbefore12;

import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.eclipse.jetty.client.HttpDestination;

/** What the library may hold of an endpoint, which is no more once nobody else does. Equal to itself alone. Thread-safe. */
final class EndpointKey {
    private final InetSocketAddress address;
    private final ClientTls tls;
    private volatile long connectNanos;

    /** That lead there, one for each client and tag of the app's. Guarded by itself. */
    private final List<WeakReference<HttpDestination>> destinations = new ArrayList<>();

    EndpointKey(Endpoint endpoint) {
        address = endpoint.address();
        tls = endpoint.tls();
    }

    InetSocketAddress address() {
        return address;
    }

    /** Null: plaintext. */
    ClientTls tls() {
        return tls;
    }

    /** How long connecting may take from now on. */
    void connectsWithin(long nanos) {
        if (connectNanos != nanos) {
            connectNanos = nanos;
        }
    }

    long connectNanos() {
        return connectNanos;
    }

    void leadsHere(HttpDestination destination) {
        synchronized (destinations) {
            destinations.removeIf(made -> made.get() == null);
            destinations.add(new WeakReference<>(destination));
        }
    }

    /**
     * The endpoint is no more, and no request to it is under way.
     *
     * @param remove the client's way to forget a destination
     */
    void dispose(Consumer<HttpDestination> remove) {
        List<WeakReference<HttpDestination>> all;
        synchronized (destinations) {
            all = List.copyOf(destinations);
            destinations.clear();
        }
        for (WeakReference<HttpDestination> reference : all) {
            HttpDestination destination = reference.get();
            if (destination != null) {
                remove.accept(destination);
            }
        }
    }
}
