package io.weft.instrumentation.apachehttpclient4;

import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.conn.routing.HttpRoute;

/** One that a thread waits for. */
final class ClassicRequest extends OutgoingRequest {
    /** Holds the connection of the attempt under way; null: there will be none. */
    private final MeshConnection connection;

    private volatile boolean ended;

    ClassicRequest(HttpRequestWrapper request, HttpRoute route, MeshConnection connection) {
        super(request, route);
        this.connection = connection;
    }

    @Override
    protected boolean isRead() {
        return true;
    }

    /** Closes the connection for good: whoever reads or writes sees it at once, and what it throws is what the library throws. */
    @Override
    protected void abort() {
        ended = true;
        connection.discard();
    }

    /** Whether the mesh has ended the attempt that is under way. */
    boolean isEnded() {
        return ended;
    }

    void begins() {
        ended = false;
    }
}
