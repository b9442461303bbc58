package io.weft.controlplane.port;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.registry.TurnedAwayLog;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.Proof;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the port for those who have business there. Whoever reaches it can connect; until somebody on a connection has been let in it has
 * one of a few places, of which one address gets a part, for a while, and a smaller one while it shakes hands, which is done by threads of
 * which there are fewer than cores. The others wait in line, as sockets of which nothing is read. What is being received of requests has a share of the memory, and of that one address a part. Thread-safe.
 */
public final class Connections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
    private static final TurnedAwayLog TURNED_AWAY = new TurnedAwayLog(LOG::warn);

    /** An agent has one stream on each connection, an Envoy two or three. */
    private static final int STREAMS_OF_A_CONNECTION = 32;
    /** One that comes back names all that it has: enough for a hundred thousand names. */
    private static final int MAX_REQUEST = 16 << 20;
    /** Requests are small, and until one is read no more than this of it is kept. */
    private static final int WINDOW = 64 << 10;
    private static final int BACKLOG = 1_024;
    private static final int SHARE_OF_REQUESTS = 8;
    private static final int PART_OF_ONE = 4;
    /** What a piece of a request costs that is a byte long. */
    private static final int PIECE = 512;
    /** A reader that gives up a stream opens another one; who does nothing else wants the work and not the answer. */
    private static final int RESETS = 100;
    private static final int RESETS_SECONDS = 10;
    private static final long IDLE_MINUTES = 5;

    private static final Attributes.Key<Open> OPEN = Attributes.Key.create("open-connection");
    private static final Context.Key<Receiving> RECEIVING = Context.key("receiving");

    private final PortLimits limits;
    private final Quota places;
    private final Quota handshakes;
    private final Quota requests;
    private final long requestsOfOne;
    private final Map<Ends, Open> open = new ConcurrentHashMap<>();
    /** By what they have proved. */
    private final Map<Proof, Integer> shown = new ConcurrentHashMap<>();
    private final EventLoopGroup acceptor = group("weft-accept", 1);
    private final EventLoopGroup loops = group("weft-grpc", 0);
    /** Half of the cores are left for those who have business here. */
    private final ExecutorService tls = Executors.newFixedThreadPool(
            Math.max(1, Runtime.getRuntime().availableProcessors() / 2), new DefaultThreadFactory("weft-tls", true));

    private record Ends(SocketAddress remote, SocketAddress local) {}

    /** @param memory that there may be in all */
    public Connections(PortLimits limits, long memory) {
        this.limits = limits;
        places = new Quota(limits.strangers(), limits.strangersOfOne());
        handshakes = new Quota(limits.strangers(), limits.handshakesOfOne());
        long all = memory / SHARE_OF_REQUESTS;
        requestsOfOne = all / PART_OF_ONE;
        requests = new Quota(all, requestsOfOne);
    }

    private static EventLoopGroup group(String name, int threads) {
        return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
    }

    /** @param calls where calls are served */
    public void guard(NettyServerBuilder port, Executor calls) {
        port.bossEventLoopGroup(acceptor)
                // Of a call it only finds out which one it is.
                .executor(tls)
                .callExecutor(new ServerCallExecutorSupplier() {
                    @Override
                    public <Q, A> Executor getExecutor(ServerCall<Q, A> call, Metadata headers) {
                        return calls;
                    }
                })
                .workerEventLoopGroup(loops)
                .channelFactory(() -> new LimitedServerChannel(this, limits))
                .withOption(ChannelOption.SO_BACKLOG, BACKLOG)
                .handshakeTimeout(limits.firstRequest().toMillis(), TimeUnit.MILLISECONDS)
                .maxConcurrentCallsPerConnection(STREAMS_OF_A_CONNECTION)
                .maxInboundMessageSize(MAX_REQUEST)
                .flowControlWindow(WINDOW)
                .maxRstFramesPerWindow(RESETS, RESETS_SECONDS)
                .maxConnectionIdle(IDLE_MINUTES, TimeUnit.MINUTES)
                .addTransportFilter(new Known())
                .addStreamTracerFactory(new ServerStreamTracer.Factory() {
                    @Override
                    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                        return new Receiving();
                    }
                });
    }

    /** To be asked before all others, which is to say, given to the port after them. */
    public ServerInterceptor interceptor() {
        return new Caller();
    }

    /** Connections that are served. */
    public int served() {
        return open.size();
    }

    /** After the server has ended. */
    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        tls.shutdown();
    }

    Quota places() {
        return places;
    }

    /** Of the places those of connections that cost CPU and have not said a word. */
    Quota handshakes() {
        return handshakes;
    }

    /** Whose place it is: of IPv6 somebody has as many addresses as he likes in his network. */
    static InetAddress host(InetSocketAddress remote) {
        InetAddress address = remote.getAddress();
        if (!(address instanceof Inet6Address)) {
            return address;
        }
        byte[] network = Arrays.copyOf(Arrays.copyOf(address.getAddress(), 8), 16);
        try {
            return InetAddress.getByAddress(network);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("16 bytes are an address", e);
        }
    }

    /** It has a place, and one among those that shake hands, which it gives back. */
    void serve(NioSocketChannel channel, InetAddress host) {
        Open connection = new Open(channel, host);
        Ends ends = new Ends(channel.remoteAddress(), channel.localAddress());
        open.put(ends, connection);
        channel.closeFuture().addListener(closed -> {
            open.remove(ends, connection);
            connection.ended();
        });
    }

    private final class Open implements Connection {
        private final NioSocketChannel channel;
        private final InetAddress host;
        private final Future<?> expiry;
        /** Guarded by this, as all that follows. */
        private final Set<Proof> proofs = new HashSet<>();
        private boolean stranger = true;
        private boolean shakingHands = true;
        private boolean over;

        Open(NioSocketChannel channel, InetAddress host) {
            this.channel = channel;
            this.host = host;
            expiry = acceptor.next().schedule(this::expire, limits.introduction().toMillis(), TimeUnit.MILLISECONDS);
        }

        @Override
        public void admitted(Bearer bearer) throws Admission.RefusedException {
            if (bearer.proof().isPresent()) {
                show(bearer.proof().get());
            }
            settle();
        }

        private void show(Proof proof) throws Admission.RefusedException {
            synchronized (this) {
                if (over || !proofs.add(proof)) {
                    return;
                }
                if (shown.merge(proof, 1, Integer::sum) <= limits.connectionsOfOneToken()) {
                    return;
                }
                proofs.remove(proof);
            }
            hide(proof);
            throw PortLimits.exceeded(proof, limits.connectionsOfOneToken(), "connections");
        }

        private void hide(Proof proof) {
            shown.computeIfPresent(proof, (key, number) -> number == 1 ? null : number - 1);
        }

        private void settle() {
            synchronized (this) {
                if (!stranger) {
                    return;
                }
                stranger = false;
            }
            expiry.cancel(false);
            places.giveBack(host, 1);
        }

        /** TLS, if there is any, and HTTP/2 are there. */
        private void ready() {
            synchronized (this) {
                if (!shakingHands) {
                    return;
                }
                shakingHands = false;
            }
            handshakes.giveBack(host, 1);
        }

        private void ended() {
            Set<Proof> last;
            synchronized (this) {
                over = true;
                last = Set.copyOf(proofs);
            }
            last.forEach(this::hide);
            ready();
            settle();
        }

        private void expire() {
            cut("nobody on it was let in within " + limits.introduction().toSeconds() + " s");
            // Also where it was closed before it had an event loop, so that nobody has heard of it.
            ready();
            settle();
        }

        void cut(String why) {
            TURNED_AWAY.say("a connection of " + host.getHostAddress() + " is closed: " + why);
            if (channel.isRegistered()) {
                // Past the pipeline, where HTTP/2 would wait for the streams to end.
                channel.eventLoop().execute(() -> channel.unsafe().close(channel.unsafe().voidPromise()));
            }
        }
    }

    /** Tells the calls of a connection which one it is. */
    private final class Known extends ServerTransportFilter {
        @Override
        public Attributes transportReady(Attributes attributes) {
            Open connection = open.get(new Ends(
                    attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR), attributes.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR)));
            if (connection == null) {
                // Closed already.
                return attributes;
            }
            connection.ready();
            return attributes.toBuilder().set(OPEN, connection).build();
        }
    }

    private static final class Caller implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            Open connection = call.getAttributes().get(OPEN);
            Context context = Context.current();
            Receiving receiving = RECEIVING.get(context);
            ServerCall.Listener<Q> listener = Contexts.interceptCall(
                    connection == null ? context : context.withValue(Connection.CURRENT, connection), call, headers, next);
            return new SimpleForwardingServerCallListener<>(listener) {
                @Override
                public void onMessage(Q message) {
                    long bytes = receiving.whole();
                    try {
                        super.onMessage(message);
                    } finally {
                        receiving.giveBack(bytes);
                    }
                }
            };
        }
    }

    /**
     * What has come of a request that has not been taken. Counted on the connection's event loop, and given back on the thread of the call:
     * while a request is there, nothing of the next one is asked for.
     */
    private final class Receiving extends ServerStreamTracer {
        private Open connection;
        /** Guarded by this, as what follows. */
        private long bytes;
        private boolean closed;

        @Override
        public Context filterContext(Context context) {
            return context.withValue(RECEIVING, this);
        }

        @Override
        public void serverCallStarted(ServerCallInfo<?, ?> call) {
            connection = call.getAttributes().get(OPEN);
        }

        @Override
        public void inboundWireSize(long size) {
            if (connection == null) {
                return;
            }
            boolean taken;
            synchronized (this) {
                taken = !closed && requests.take(connection.host, size + PIECE);
                if (taken) {
                    bytes += size + PIECE;
                }
            }
            if (!taken) {
                connection.cut("what is being received of requests from there takes more than " + (requestsOfOne >> 10)
                        + " KiB, or what is from all " + PART_OF_ONE + " times that");
            }
        }

        private synchronized long whole() {
            long all = bytes;
            bytes = 0;
            return all;
        }

        private void giveBack(long amount) {
            if (connection != null) {
                requests.giveBack(connection.host, amount);
            }
        }

        @Override
        public void streamClosed(Status status) {
            long left;
            synchronized (this) {
                closed = true;
                left = bytes;
                bytes = 0;
            }
            giveBack(left);
        }
    }
}
