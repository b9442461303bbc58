package io.weft.instrumentation.grpc;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;

/** What the mesh knows of the app's channels. Thread-safe. */
final class MeshChannels {
    /** A channel of which the mesh has nothing to do. */
    private static final Known UNTOUCHED = new Known(null, null);

    private final AdapterContext context;
    private final Internals internals;
    private final Attached<Known> byChannel = new Attached<>();

    /** By what asks for a channel's transports, so that a call looks up one object. */
    private final Attached<Known> byStreams = new Attached<>();

    /**
     * @param channel null: it is not for the mesh
     * @param unled the authority of one that the mesh would lead if it knew where the app's own resolver does; else null
     */
    private record Known(MeshChannel channel, String unled) {}

    MeshChannels(AdapterContext context, Internals internals) {
        this.context = context;
        this.internals = internals;
    }

    /** @return null: it is not for the mesh */
    MeshChannel ofStreams(Object asking) throws Throwable {
        Known known = byStreams.of(asking);
        if (known == null) {
            ManagedChannel channel = internals.channelOf(asking);
            known = channel == null ? UNTOUCHED : all(channel);
            byStreams.put(asking, known);
        }
        return known.channel;
    }

    /**
     * Of a channel that is not for the mesh, once {@link #ofStreams} has said so.
     *
     * @return why it may make no call; null: it may
     */
    Status refusal(Object asking) {
        Known known = byStreams.of(asking);
        if (known == null || known.unled == null) {
            return null;
        }
        String instead = "; let gRPC look its name up (dns:///" + known.unled + ") instead";
        if (context.outbound().mayBeSecured(known.unled)) {
            return Status.UNAVAILABLE.withDescription(
                    "mesh TLS is not supported for channels with a name resolver of their own: " + known.unled + instead);
        }
        if (context.outbound().names(known.unled)) {
            context.warn("calls of channels with a name resolver of their own go out without the mesh: " + known.unled + instead);
        }
        return null;
    }

    /** @return null: it is not for the mesh */
    MeshChannel of(ManagedChannel channel) throws Throwable {
        return all(channel).channel;
    }

    private Known all(ManagedChannel channel) throws Throwable {
        Known known = byChannel.of(channel);
        if (known != null) {
            return known;
        }
        synchronized (byChannel) {
            known = byChannel.of(channel);
            if (known == null) {
                known = make(channel);
                byChannel.put(channel, known);
            }
        }
        return known;
    }

    /** @return null: it is not for the mesh, or had no call yet */
    MeshChannel known(ManagedChannel channel) {
        Known known = byChannel.of(channel);
        return known == null ? null : known.channel;
    }

    private Known make(ManagedChannel channel) throws Throwable {
        if (internals.hasProxy(channel)) {
            return UNTOUCHED;
        }
        Dialer dialer = Dialer.of(internals.transportFactory(channel), context);
        if (dialer == null) {
            return UNTOUCHED;
        }
        return internals.resolvesByDns(channel)
                ? new Known(new MeshChannel(context, internals, channel, dialer), null)
                : new Known(null, channel.authority());
    }
}
