package io.weft.instrumentation.grpc;

import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.grpc.internal.ClientTransportFactory;
import io.grpc.internal.ClientTransportFactory.ClientTransportOptions;
import io.grpc.internal.GrpcUtil;
import io.grpc.internal.SerializingExecutor;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.AdapterContext;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A channel of the app's and its transports to endpoints. It ends with the app's: that one has terminated when no stream and no
 * transport is left here. Thread-safe; what is said to be in turns is by the {@link #turns} of this object, not by the channel's own.
 */
final class MeshChannel {
    /** The library's own, with its default. */
    private static final Status SHUTDOWN_NOW = Status.UNAVAILABLE.withDescription("Channel shutdownNow invoked");

    private static final Status SHUTDOWN = Status.UNAVAILABLE.withDescription("Channel shutdown invoked");

    /** After the library's first back-off. */
    private static final long FAILURE_SHOWN_SECONDS = 1;

    private final AdapterContext context;
    private final Internals internals;
    private final WeakReference<ManagedChannel> apps;
    private final Dialer dialer;
    private final String authority;
    private volatile URI target;
    private final String userAgent;
    private final ScheduledExecutorService scheduler;
    private final SynchronizationContext turns;
    private final Executor hearing;
    private final ConcurrentMap<Endpoint, EndpointTransport> endpoints = new ConcurrentHashMap<>();

    /** Streams and transports that are not over. */
    private final AtomicInteger open = new AtomicInteger();

    private final AtomicInteger streams = new AtomicInteger();

    /** In turns: those that have not terminated. */
    private final Set<Connection> connections = new HashSet<>();

    private volatile boolean leftToLibrary;

    /** The library has nothing more to wait for. */
    private volatile boolean heldBack;

    private volatile boolean shutdownNow;

    /** In turns: the last attempt to connect has failed, and that is not too long ago. */
    private boolean failing;

    MeshChannel(AdapterContext context, Internals internals, ManagedChannel apps, Dialer dialer) throws Throwable {
        this.context = context;
        this.internals = internals;
        this.apps = new WeakReference<>(apps);
        this.dialer = dialer;
        authority = apps.authority();
        userAgent = GrpcUtil.getGrpcUserAgent(dialer.name(), internals.userAgent(apps));
        scheduler = internals.transportFactory(apps).getScheduledExecutorService();
        turns = new SynchronizationContext((thread, fault) -> fault("a transport", fault));
        hearing = hearingIn(turns);
    }

    String authority() {
        return authority;
    }

    /** The same as host and port. */
    URI target() {
        URI known = target;
        if (known == null) {
            known = GrpcUtil.authorityToUri(authority);
            target = known;
        }
        return known;
    }

    /** As the library sends it. */
    String userAgent() {
        return userAgent;
    }

    Internals internals() {
        return internals;
    }

    /** The library's own: its tasks must not block. */
    ScheduledExecutorService scheduler() {
        return scheduler;
    }

    SynchronizationContext turns() {
        return turns;
    }

    /** A transport says something: in turns, in the order in which it was said. */
    void hear(Runnable said) {
        hearing.execute(said);
    }

    /** Runs what the transports say in these turns, in the order in which it was said. */
    Executor hearingIn(SynchronizationContext turns) {
        if (dialer.hearing() == null) {
            return turns;
        }
        Executor inOrder = new SerializingExecutor(dialer.hearing());
        return said -> inOrder.execute(() -> turns.execute(said));
    }

    void fault(String what, Throwable fault) {
        context.warn(what + " has met a fault of the agent: " + fault);
    }

    /** A call of the channel is not for the mesh: the library needs the load balancer that it would have without it. */
    void leaveToLibrary() {
        if (!leftToLibrary) {
            leftToLibrary = true;
        }
    }

    boolean isLeftToLibrary() {
        return leftToLibrary;
    }

    boolean isShutdown() {
        ManagedChannel channel = apps.get();
        return channel == null || channel.isShutdown();
    }

    /** Why no transport can be made; null: one can. */
    Status refusal() {
        return shutdownNow ? SHUTDOWN_NOW : null;
    }

    /** @return null: for ever */
    Long idleNanos() throws Throwable {
        ManagedChannel channel = apps.get();
        long millis = channel == null ? 0 : internals.idleMillis(channel);
        return millis < 0 ? null : (Long) TimeUnit.MILLISECONDS.toNanos(millis);
    }

    EndpointTransport to(Endpoint endpoint) {
        EndpointTransport known = endpoints.get(endpoint);
        return known != null ? known : endpoints.computeIfAbsent(endpoint, to -> new EndpointTransport(this, to));
    }

    /** In turns: it has a connection, or is about to. */
    void remember(Endpoint endpoint, EndpointTransport transport) {
        endpoints.putIfAbsent(endpoint, transport);
    }

    /** In turns. */
    void forget(Endpoint endpoint, EndpointTransport transport) {
        endpoints.remove(endpoint, transport);
    }

    /** The app wants a connection, to wherever it is. */
    void connect() {
        Endpoint endpoint = context.outbound().pick("http", authority, "POST", "/");
        if (endpoint != null) {
            to(endpoint).connect();
        }
    }

    Dialer.Dialed dial(Endpoint endpoint, long connectNanos) throws Throwable {
        ManagedChannel channel = apps.get();
        if (channel == null) {
            throw SHUTDOWN.asException();
        }
        ClientTransportFactory factory = internals.transportFactory(channel);
        ClientTransportOptions options =
                new ClientTransportOptions().setAuthority(authority).setUserAgent(internals.userAgent(channel));
        return dialer.dial(factory, endpoint, connectNanos, options, internals.logger(channel));
    }

    /** As the app's own filters of transports have them. */
    Attributes filtered(Attributes attributes) throws Throwable {
        ManagedChannel channel = apps.get();
        return channel == null ? attributes : internals.filterReady(channel, attributes);
    }

    /** In turns. */
    void begins(Connection connection) {
        connections.add(connection);
        open.incrementAndGet();
    }

    /** In turns. */
    void ended(Connection connection) {
        if (connections.remove(connection)) {
            ended();
            inChannel(channel -> internals.filterTerminated(channel, connection.transport().getAttributes()));
        }
    }

    private void ended() {
        if (open.decrementAndGet() == 0) {
            terminated();
        }
    }

    void streamBegins() {
        streams.incrementAndGet();
        open.incrementAndGet();
    }

    void streamEnded() {
        if (streams.decrementAndGet() == 0 && heldBack) {
            closeAll();
        }
        ended();
    }

    /** In the channel's turns, and after it was shut down. @return false: when the mesh has ended it will be asked again */
    boolean mayTerminate() {
        if (open.get() == 0) {
            return true;
        }
        heldBack = true;
        if (streams.get() == 0) {
            closeAll();
        }
        // Who has ended meanwhile may not have seen it.
        return open.get() == 0;
    }

    private void closeAll() {
        turns.execute(() -> List.copyOf(connections).forEach(connection -> connection.close(SHUTDOWN)));
    }

    private void terminated() {
        if (heldBack) {
            inChannel(internals::maybeTerminate);
        }
    }

    /** In the channel's turns. */
    void shutdownNow() {
        shutdownNow = true;
        turns.execute(() -> List.copyOf(connections).forEach(connection -> connection.transport().shutdownNow(SHUTDOWN_NOW)));
    }

    /** In turns: a transport is in another state. */
    void stateChanged(boolean failed) {
        if (failed && !failing) {
            scheduler.schedule(() -> turns.execute(this::failureIsOver), FAILURE_SHOWN_SECONDS, TimeUnit.SECONDS);
        }
        failing |= failed;
        ConnectivityState state = state();
        if (state == ConnectivityState.READY) {
            failing = false;
        }
        show(state);
    }

    private void failureIsOver() {
        failing = false;
        show(state());
    }

    private void show(ConnectivityState state) {
        inChannel(channel -> {
            if (!internals.hasLoadBalancer(channel)) {
                internals.show(channel, state);
            }
        });
    }

    private ConnectivityState state() {
        boolean connecting = false;
        for (EndpointTransport endpoint : endpoints.values()) {
            if (endpoint.isReady()) {
                return ConnectivityState.READY;
            }
            connecting |= endpoint.isConnecting();
        }
        if (connecting) {
            return ConnectivityState.CONNECTING;
        }
        return failing ? ConnectivityState.TRANSIENT_FAILURE : ConnectivityState.IDLE;
    }

    private interface Change {
        void make(ManagedChannel channel) throws Throwable;
    }

    /** A fault of the agent's must not get into the channel's own turns: the library would panic. */
    private void inChannel(Change change) {
        ManagedChannel channel = apps.get();
        if (channel == null) {
            return;
        }
        try {
            internals.turns(channel).execute(() -> make(change, channel));
        } catch (Throwable fault) {
            fault("a channel", fault);
        }
    }

    private void make(Change change, ManagedChannel channel) {
        try {
            change.make(channel);
        } catch (Throwable fault) {
            fault("a channel", fault);
        }
    }
}
