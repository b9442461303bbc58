package io.weft.instrumentation.tomcat;

import io.weft.dataplane.LocalReply;
import java.io.IOException;
import org.apache.coyote.InputBuffer;
import org.apache.coyote.Request;
import org.apache.tomcat.util.net.ApplicationBufferHandler;

/** A request's body of unknown length that is cut off, and answered with 413, once it is longer than it may be. */
final class LimitedBody implements InputBuffer {
    private static final LocalReply TOO_LARGE = LocalReply.of(413, "Payload Too Large");

    private final Internals internals;
    private final Request request;
    private final InputBuffer body;
    private long left;

    LimitedBody(Internals internals, Request request, InputBuffer body, long maxBytes) {
        this.internals = internals;
        this.request = request;
        this.body = body;
        this.left = maxBytes;
    }

    InputBuffer body() {
        return body;
    }

    @Override
    public int doRead(ApplicationBufferHandler handler) throws IOException {
        int read = body.doRead(handler);
        if (read > 0) {
            left -= read;
        }
        if (left < 0) {
            if (!request.getResponse().isCommitted()) {
                new OutgoingResponse(request.getResponse()).send(TOO_LARGE);
            }
            throw new IOException("the request's body is longer than the mesh's policy allows");
        }
        return read;
    }

    @Override
    public int available() {
        return internals.available(body);
    }
}
