package io.weft.upstream;

import io.netty.channel.EventLoop;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.MirrorSender;
import io.weft.dataplane.MirroredRequest;
import io.weft.policy.model.HttpVersion;
import java.util.HashMap;
import java.util.Map;

/**
 * Mirrored requests over HTTP/1.1 or HTTP/2, each in plaintext or over mesh TLS, on connections that are kept for the next. All but
 * {@link #send} happens on the event loop.
 */
public final class NettyMirrorSender implements MirrorSender {
    private final UpstreamThread thread;
    /** By endpoint: what is secured in another way is another endpoint. */
    private final Map<Endpoint, MirrorConnections> connections = new HashMap<>();

    public NettyMirrorSender(UpstreamThread thread) {
        this.thread = thread;
    }

    @Override
    public void send(MirroredRequest request) {
        EventLoop loop = thread.loop();
        loop.execute(() -> {
            try {
                begin(request, loop);
            } catch (RuntimeException | Error fault) {
                request.finish();
                throw fault;
            }
        });
    }

    private void begin(MirroredRequest request, EventLoop loop) {
        if (request.next() != Step.DIAL) {
            request.finish();
            return;
        }
        connections.computeIfAbsent(request.endpoint(), endpoint -> open(request, endpoint, loop)).send(request);
    }

    private MirrorConnections open(MirroredRequest request, Endpoint endpoint, EventLoop loop) {
        Dial dial = new Dial(loop, endpoint);
        Runnable forget = () -> connections.remove(endpoint);
        // Mesh TLS offers no HTTP/2, and whoever takes that takes HTTP/1.1, too.
        return request.http() == HttpVersion.HTTP_2 && endpoint.tls() == null ? new Http2Mirror(dial, forget) : new Http1Mirrors(dial, forget);
    }
}
