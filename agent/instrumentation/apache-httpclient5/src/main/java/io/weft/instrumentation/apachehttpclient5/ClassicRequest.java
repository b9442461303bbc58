package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.LimitedBytes;
import java.io.IOException;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecRuntime;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.FileEntity;
import org.apache.hc.core5.http.io.entity.PathEntity;

/** One that a thread waits for. */
final class ClassicRequest extends OutgoingRequest {
    private final ClassicHttpRequest request;
    private final ExecChain.Scope scope;

    /** Holds the connection of the attempt under way. */
    private final ExecRuntime connections;

    private volatile boolean ended;

    /** Null: no response of this has been delivered. */
    private Runnable end;

    ClassicRequest(ClassicHttpRequest request, ExecChain.Scope scope, ExecRuntime connections) {
        super(request, scope.route);
        this.request = request;
        this.scope = scope;
        this.connections = connections;
    }

    @Override
    protected boolean isRead() {
        return true;
    }

    /** Closes the connection for good: whoever reads or writes sees it at once, and what it throws is what the library throws. */
    @Override
    protected void abort() {
        ended = true;
        connections.discardEndpoint();
    }

    /** Whether the mesh has ended the attempt that is under way. */
    boolean isEnded() {
        return ended;
    }

    void begins() {
        ended = false;
    }

    /** @param end to be run when the response that the app is given now is over */
    void delivers(Runnable end) {
        this.end = end;
    }

    /** The library gives the response's connection up, read or not. */
    void isLetGo() {
        // of what the mesh has ended whoever reads is told
        if (!ended) {
            end.run();
        }
    }

    @Override
    public long bodyLength() {
        return request.getEntity() == null ? 0 : request.getEntity().getContentLength();
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        byte[] body = body(maxBodyBytes);
        return body == null ? null : new RequestCopy(headers(), body);
    }

    private byte[] body(int maxBytes) {
        HttpEntity entity = request.getEntity();
        HttpEntity given = scope.originalRequest.getEntity();
        if (entity == null) {
            return new byte[0];
        }
        if (replay() != Replay.REPEATABLE || given instanceof FileEntity || given instanceof PathEntity || bodyLength() > maxBytes) {
            return null;
        }
        LimitedBytes bytes = new LimitedBytes(maxBytes);
        try {
            entity.writeTo(bytes);
            return bytes.isWhole() ? bytes.toByteArray() : null;
        } catch (IOException | RuntimeException e) {
            // The app's own entity has failed; it will again, where the app sees it.
            return null;
        }
    }

    @Override
    public Replay replay() {
        HttpEntity body = request.getEntity();
        if (body == null) {
            return Replay.NO_BODY;
        }
        // the library calls a stream repeatable as long as nobody has read it; the app's own entity knows better
        HttpEntity given = scope.originalRequest.getEntity();
        return body.isRepeatable() && (given == null || given.isRepeatable()) ? Replay.REPEATABLE : Replay.ONE_SHOT;
    }
}
