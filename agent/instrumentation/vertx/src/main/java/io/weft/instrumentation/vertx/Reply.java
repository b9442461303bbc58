package io.weft.instrumentation.vertx;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.weft.dataplane.LocalReply;

/** The mesh's own answer, as if it had come from a connection. On the request's context, but for {@link #demand}. */
final class Reply {
    private final Internals internals;
    private final MeshStream stream;
    private final Context context;
    private final LocalReply answer;
    private volatile boolean paused;
    private boolean hasBody;
    private boolean over;

    /** @param method of the request */
    Reply(Internals internals, MeshStream stream, Context context, String method, LocalReply answer) {
        this.internals = internals;
        this.stream = stream;
        this.context = context;
        this.answer = answer;
        hasBody = answer.body().length > 0 && !method.equals("HEAD") && answer.status() != 204 && answer.status() != 304;
    }

    void begin() throws Throwable {
        stream.head(internals.responseHead(answer));
        goesOn();
    }

    /** What the library asks its stream for. From anywhere. */
    void demand(String method, Object[] args) {
        switch (method) {
            case "doPause", "pause" -> paused = true;
            case "doFetch", "fetch" -> {
                if (args != null && (Long) args[0] > 0) {
                    paused = false;
                    goesOn();
                }
            }
            default -> { }
        }
    }

    private void goesOn() {
        context.runOnContext(now -> {
            if (hasBody && !paused) {
                hasBody = false;
                stream.data(Buffer.buffer(answer.body()));
            }
            if (!hasBody && !paused && !over) {
                over = true;
                stream.end(HttpHeaders.headers());
            }
        });
    }
}
