package io.weft.instrumentation.reactornetty;

import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Dropped;
import java.lang.ref.WeakReference;
import reactor.core.Disposable;
import reactor.netty.ChannelPipelineConfigurer;
import reactor.netty.transport.TransportConfig;

/**
 * The library keeps a pool for ever unless the app says otherwise. One that leads to an endpoint of the mesh goes with the endpoint: they
 * come and go with every deployment, and with each certificate. Thread-safe.
 */
final class Pools {
    private final AdapterContext context;
    private final Internals internals;
    private final Attached<MeshPipeline> pipelines = new Attached<>();
    private final Dropped dropped = new Dropped();

    Pools(AdapterContext context, Internals internals) {
        this.context = context;
        this.internals = internals;
    }

    /** For connections to the endpoint: the same one as before, mostly. */
    MeshPipeline pipeline(ChannelPipelineConfigurer apps, Endpoint endpoint, int handshakeMillis) {
        MeshPipeline known = pipelines.of(endpoint);
        if (known != null && known.isOf(apps, handshakeMillis)) {
            return known;
        }
        MeshPipeline pipeline = new MeshPipeline(apps, endpoint, handshakeMillis);
        pipelines.put(endpoint, pipeline);
        return pipeline;
    }

    /** @param address the object that the provider has as the pool's */
    void made(Object provider, TransportConfig config, Object address) {
        Endpoint endpoint = config.doOnChannelInit() instanceof MeshPipeline pipeline ? pipeline.endpoint() : null;
        if (endpoint != null) {
            WeakReference<Object> of = new WeakReference<>(provider);
            dropped.then(endpoint, () -> dispose(of.get(), address));
        }
    }

    /** Connections that have a request are closed after its response, as with all that the library disposes of. */
    private void dispose(Object provider, Object address) {
        if (provider == null) {
            return;
        }
        try {
            for (var pool : internals.pools(provider).entrySet()) {
                if (internals.poolAddress(pool.getKey()) == address && internals.pools(provider).remove(pool.getKey(), pool.getValue())) {
                    ((Disposable) pool.getValue()).dispose();
                }
            }
        } catch (Throwable fault) {
            context.warn("reactor-netty: a pool of an endpoint that is no more is kept: " + fault);
        }
    }
}
