package io.weft.dataplane;

import java.util.concurrent.atomic.LongAdder;

/** What a request that comes in passes, outermost first. A layer is put in or taken out here and nowhere else. */
final class ServerLayers {
    private final ServerLayer outermost;

    ServerLayers(Drain drain, LongAdder requests) {
        outermost =
                // (The peer's identity comes first, with mesh TLS: permissions and limits go by it.)
                // Above all that may refuse: a refusal too is to be sent before the process goes.
                new DrainGate(drain,
                // (Permission, rate limit, fault: what is forbidden costs no token, what is limited is not delayed.)
                // Innermost: counts what reaches the app.
                new CountInbound(requests,
                ServerLayer.APP));
    }

    void requestStarted() {
        outermost.requestStarted();
    }

    void requestEnded() {
        outermost.requestEnded();
    }
}
