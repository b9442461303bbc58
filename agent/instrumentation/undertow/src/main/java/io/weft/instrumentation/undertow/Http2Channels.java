package io.weft.instrumentation.undertow;

import io.undertow.protocols.http2.Http2Channel;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.framed.AbstractFramedStreamSinkChannel;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;

/**
 * Connections that speak HTTP/2, whose callers are told, by a GOAWAY, to use another one for what comes next. Undertow itself only sends one to
 * close the connection with it, and all streams that are under way. Thread-safe.
 */
final class Http2Channels {
    private static final String PACKAGE = "io.undertow.protocols.http2.";
    private static final int NO_ERROR = 0;

    private final AdapterContext context;
    private final Set<Http2Channel> open = ConcurrentHashMap.newKeySet();
    private final Set<Http2Channel> told = ConcurrentHashMap.newKeySet();
    private final Class<?> connectionType;
    private final MethodHandle channelOfConnection;
    private final MethodHandle lastStream;
    private final MethodHandle makeGoAway;

    Http2Channels(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        MethodHandles.Lookup connection = context.lookup("io.undertow.server.protocol.http2.Http2ServerConnection");
        connectionType = connection.lookupClass();
        channelOfConnection = connection.findGetter(connectionType, "channel", Http2Channel.class)
                .asType(MethodType.methodType(Http2Channel.class, Object.class));
        lastStream = lastStream(context.lookup(Http2Channel.class.getName()));
        MethodHandles.Lookup goAway = context.lookup(PACKAGE + "Http2GoAwayStreamSinkChannel");
        makeGoAway = goAway.findConstructor(
                        goAway.lookupClass(), MethodType.methodType(void.class, Http2Channel.class, int.class, int.class))
                .asType(MethodType.methodType(StreamSinkChannel.class, Http2Channel.class, int.class, int.class));
    }

    private static MethodHandle lastStream(MethodHandles.Lookup channel) throws ReflectiveOperationException {
        try {
            return channel.findVirtual(Http2Channel.class, "getLastGoodStreamId", MethodType.methodType(int.class));
        } catch (NoSuchMethodException before) {
            return channel.findGetter(Http2Channel.class, "lastGoodStreamId", int.class);
        }
    }

    void opened(Http2Channel channel) {
        if (!channel.isClient()) {
            open.add(channel);
            channel.addCloseTask(closed -> {
                open.remove(closed);
                told.remove(closed);
            });
        }
    }

    void lastStreams() {
        open.forEach(this::lastStreams);
    }

    void lastStreams(ServerConnection connection) {
        if (connectionType.isInstance(connection)) {
            try {
                lastStreams((Http2Channel) channelOfConnection.invokeExact((Object) connection));
            } catch (Throwable e) {
                warn(e);
            }
        }
    }

    /**
     * Closes the connection of a stream, with all others that it has.
     *
     * @return false: it speaks no HTTP/2
     */
    boolean close(ServerConnection stream) {
        if (!connectionType.isInstance(stream)) {
            return false;
        }
        try {
            IoUtils.safeClose((Http2Channel) channelOfConnection.invokeExact((Object) stream));
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
        return true;
    }

    /** More than once does nothing more. */
    private void lastStreams(Http2Channel channel) {
        if (channel.isOpen() && told.add(channel)) {
            channel.getIoThread().execute(() -> tell(channel));
        }
    }

    /**
     * Whether the GOAWAY is one of these. After its own, Undertow says the end of the connection as soon as there is nothing to be sent; what a
     * stream that is under way has to say may only come then.
     */
    static boolean leavesStreams(AbstractFramedStreamSinkChannel<?, ?, ?> goAway) {
        return goAway.getChannel() instanceof Http2Channel channel && !channel.isThisGoneAway();
    }

    private void tell(Http2Channel channel) {
        try {
            StreamSinkChannel goAway = (StreamSinkChannel) makeGoAway.invokeExact(
                    channel, NO_ERROR, (int) lastStream.invokeExact(channel));
            goAway.shutdownWrites();
            if (!goAway.flush()) {
                goAway.getWriteSetter().set(ChannelListeners.flushingChannelListener(null, null));
                goAway.resumeWrites();
            }
        } catch (IOException gone) {
            // Whoever has gone needs not be told.
            return;
        } catch (Throwable e) {
            warn(e);
        }
    }

    private void warn(Throwable e) {
        context.warn("Undertow: an HTTP/2 connection that has to go is not told so before it is closed: " + e);
    }
}
