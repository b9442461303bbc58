package io.weft.instrumentation.micronauthttpclient;

import io.micronaut.http.client.exceptions.HttpClientException;
import io.micronaut.http.client.netty.DefaultHttpClient.RequestKey;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Outside;
import io.weft.instrumentation.Unsent;
import java.net.ConnectException;
import java.net.Proxy;

/** The handlers of {@link MicronautHttpClientModule}. Compiled against Micronaut 4.0, links up to 4.10. Thread-safe. */
public final class MicronautHttpClientAdapter implements Adapter {
    private final AdapterContext context;
    private final Internals internals;
    private final Ways ways;

    public MicronautHttpClientAdapter(AdapterContext context) throws ReflectiveOperationException {
        this.context = context;
        this.internals = new Internals(context);
        this.ways = new Ways(internals);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case MicronautHttpClientModule.ACQUIRE -> (Handler.Argument) (connections, key, a0, a1, a2) -> {
                RequestKey wanted = (RequestKey) key;
                return Ways.isOurs(wanted.getHost()) ? key : meshed(connections, wanted);
            };
            case MicronautHttpClientModule.CONNECT -> (Handler.Around) (connections, key, initializer, loop, a3) ->
                    connect(connections, (RequestKey) key, (ChannelHandler) initializer, loop instanceof EventLoopGroup group ? group : null);
            case MicronautHttpClientModule.PROXY -> (Handler.Around) (connections, pipeline, secure, host, port) ->
                    Ways.isOurs((String) host) ? null : Handler.PROCEED;
            case MicronautHttpClientModule.FAILURE -> (Handler.Around) (handler, ctx, cause, a2, a3) -> {
                Channel channel = ((ChannelHandlerContext) ctx).channel();
                if (!(channel instanceof MeshChannel mesh) || !mesh.isOver(cause)) {
                    return Handler.PROCEED;
                }
                // To be told as it is, as the library would tell it of a connection.
                internals.response(handler).tryFailure((Throwable) cause);
                return null;
            };
            default -> throw new IllegalArgumentException("no hook of micronaut-http-client: " + hook);
        };
    }

    /** @return by which the pool has what is wanted */
    private Object meshed(Object connections, RequestKey wanted) {
        ConnectException refusal = Outside.refusal(context.outbound(), wanted.isSecure(), wanted.getHost(), wanted.getPort());
        if (refusal != null) {
            return new Handler.Thrown(failure(refusal));
        }
        Destination known = ways.known(wanted.getHost(), wanted.getPort());
        String authority = known == null ? Destination.authority(wanted.getHost(), wanted.getPort()) : known.authority();
        if (wanted.isSecure() || !context.outbound().names(authority)) {
            return wanted;
        }
        try {
            Destination destination = known == null ? ways.destination(wanted.getHost(), wanted.getPort()) : known;
            if (destination.direct() == wanted) {
                // A request that the mesh has let go of.
                return wanted;
            }
            Proxy proxy = internals.configuration(connections).resolveProxy(false, wanted.getHost(), wanted.getPort());
            if (proxy.type() != Proxy.Type.DIRECT) {
                return wanted;
            }
            if (!internals.upgradesToHttp2(connections)) {
                return destination.meshed();
            }
            // Which route it will take is not known here, and one of them may be secured.
            return !context.outbound().mayBeSecured(authority) ? wanted : new Handler.Thrown(failure(
                    new ConnectException("mesh TLS is not supported where connections are upgraded to HTTP/2: " + authority)));
        } catch (Throwable fault) {
            return new Handler.Thrown(failure(Unsent.because(fault)));
        }
    }

    /** As the library tells it. */
    private static HttpClientException failure(ConnectException cause) {
        return new HttpClientException("Connect Error: " + cause.getMessage(), cause);
    }

    /** @param loop null: the library has left it to its bootstrap */
    private Object connect(Object connections, RequestKey key, ChannelHandler initializer, EventLoopGroup loop) throws Throwable {
        if (!Ways.isOurs(key.getHost())) {
            ConnectException refusal = Outside.refusal(context.outbound(), key.isSecure(), key.getHost(), key.getPort());
            return refusal == null ? Handler.PROCEED : refused(connections, loop, refusal);
        }
        try {
            return connectOurs(connections, key, initializer, loop);
        } catch (Throwable fault) {
            // The library would look for a host of that name.
            return refused(connections, loop, Unsent.because(fault));
        }
    }

    /** In the place of a connection, whatever happens. */
    private Object refused(Object connections, EventLoopGroup loop, ConnectException refusal) {
        try {
            return Connecting.refused(loop == null ? bootstrap(connections, null) : new Bootstrap().group(loop), refusal);
        } catch (Throwable fault) {
            refusal.addSuppressed(fault);
            return new Handler.Thrown(failure(refusal));
        }
    }

    private Object connectOurs(Object connections, RequestKey key, ChannelHandler initializer, EventLoopGroup loop) throws Throwable {
        Destination destination = ways.destinationCalled(key.getHost());
        if (destination != null) {
            ways.areIn(connections);
            return Connecting.meshed(
                    internals, connections, group(connections, loop), initializer,
                    new Hops(context, internals, ways, connections, destination));
        }
        Way way = ways.wayCalled(key.getHost());
        Bootstrap bootstrap = bootstrap(connections, loop);
        return way == null
                ? Connecting.refused(bootstrap, new ConnectException("the endpoint is no more"))
                : Connecting.toEndpoint(internals, connections, bootstrap, initializer, way);
    }

    private EventLoopGroup group(Object connections, EventLoopGroup loop) throws Throwable {
        return loop == null ? internals.group(connections) : loop;
    }

    /** The library's, on the loop that asks for the connection, if that is one of the client's. */
    private Bootstrap bootstrap(Object connections, EventLoopGroup loop) throws Throwable {
        Bootstrap librarys = internals.bootstrap(connections);
        if (loop != null) {
            return librarys.clone().group(loop);
        }
        EventLoopGroup current = Connecting.current(internals.group(connections));
        // In 4.8 its bootstrap has no group, and only the thread is given for which the connection is.
        return librarys.config().group() == null ? librarys.clone().group(current) : librarys.clone(current);
    }
}
