package io.weft.instrumentation.asynchttpclient;

import io.weft.dataplane.Endpoint;
import java.lang.ref.WeakReference;

/** By which the app's pool keeps connections to an endpoint, apart from those to others. Leads to the endpoint only weakly. Immutable. */
final class EndpointKey {
    private final Object apps;
    private final WeakReference<Endpoint> endpoint;
    private final int hash;

    /** @param apps by which the library would keep them */
    EndpointKey(Object apps, Endpoint endpoint) {
        this.apps = apps;
        this.endpoint = new WeakReference<>(endpoint);
        this.hash = 31 * apps.hashCode() + System.identityHashCode(endpoint);
    }

    boolean isFor(Object apps, Endpoint endpoint) {
        return this.endpoint.refersTo(endpoint) && this.apps.equals(apps);
    }

    /** Of the same host, to another endpoint. */
    boolean isBeside(EndpointKey other) {
        return apps.equals(other.apps) && !equals(other);
    }

    boolean isGone() {
        return endpoint.refersTo(null);
    }

    @Override
    public boolean equals(Object other) {
        if (this == other) {
            return true;
        }
        if (!(other instanceof EndpointKey that) || hash != that.hash) {
            return false;
        }
        Endpoint mine = endpoint.get();
        return mine != null && that.endpoint.refersTo(mine) && apps.equals(that.apps);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return apps + " at " + endpoint.get();
    }
}
