package io.weft.instrumentation.grpc;

import io.grpc.ManagedChannel;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;

/** What the mesh knows of the app's channels. Thread-safe. */
final class MeshChannels {
    /** A channel of which the mesh has nothing to do. */
    private static final Known UNTOUCHED = new Known(null);

    private final AdapterContext context;
    private final Internals internals;
    private final Attached<Known> byChannel = new Attached<>();

    /** By what asks for a channel's transports, so that a call looks up one object. */
    private final Attached<Known> byStreams = new Attached<>();

    private record Known(MeshChannel channel) {}

    MeshChannels(AdapterContext context, Internals internals) {
        this.context = context;
        this.internals = internals;
    }

    /** @return null: it is not for the mesh */
    MeshChannel ofStreams(Object asking) throws Throwable {
        Known known = byStreams.of(asking);
        if (known == null) {
            ManagedChannel channel = internals.channelOf(asking);
            known = channel == null ? UNTOUCHED : known(of(channel));
            byStreams.put(asking, known);
        }
        return known.channel;
    }

    /** @return null: it is not for the mesh */
    MeshChannel of(ManagedChannel channel) throws Throwable {
        Known known = byChannel.of(channel);
        if (known != null) {
            return known.channel;
        }
        synchronized (byChannel) {
            known = byChannel.of(channel);
            if (known == null) {
                known = known(make(channel));
                byChannel.put(channel, known);
            }
        }
        return known.channel;
    }

    /** @return null: it is not for the mesh, or had no call yet */
    MeshChannel known(ManagedChannel channel) {
        Known known = byChannel.of(channel);
        return known == null ? null : known.channel;
    }

    private static Known known(MeshChannel channel) {
        return channel == null ? UNTOUCHED : new Known(channel);
    }

    private MeshChannel make(ManagedChannel channel) throws Throwable {
        if (!internals.resolvesByDns(channel) || internals.hasProxy(channel)) {
            return null;
        }
        Dialer dialer = Dialer.of(internals.transportFactory(channel), context);
        return dialer == null ? null : new MeshChannel(context, internals, channel, dialer);
    }
}
