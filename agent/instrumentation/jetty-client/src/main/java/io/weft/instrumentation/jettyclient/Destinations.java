package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Dropped;
import org.eclipse.jetty.client.transport.HttpDestination;

/**
 * The client keeps a destination for ever unless the app says otherwise. One that leads to an endpoint of the mesh goes with the
 * endpoint: they come and go with every deployment, and with each certificate. Thread-safe.
 */
final class Destinations {
    private final AdapterContext context;
    private final Attached<EndpointKey> keys = new Attached<>();
    private final Dropped dropped = new Dropped();

    Destinations(AdapterContext context) {
        this.context = context;
    }

    EndpointKey key(Endpoint endpoint) {
        EndpointKey known = keys.of(endpoint);
        if (known != null) {
            return known;
        }
        synchronized (keys) {
            EndpointKey other = keys.of(endpoint);
            if (other != null) {
                return other;
            }
            EndpointKey key = new EndpointKey(endpoint);
            keys.put(endpoint, key);
            dropped.then(endpoint, () -> dispose(key));
            return key;
        }
    }

    private void dispose(EndpointKey key) {
        try {
            key.dispose();
        } catch (RuntimeException fault) {
            context.warn("connections of an endpoint that is no more are kept: " + fault);
        }
    }

    /** Perhaps more than once. */
    void made(HttpDestination destination) {
        if (destination.getOrigin() != null && destination.getOrigin().getTag() instanceof MeshTag tag) {
            tag.endpoint().leadsHere(destination);
        }
    }
}
