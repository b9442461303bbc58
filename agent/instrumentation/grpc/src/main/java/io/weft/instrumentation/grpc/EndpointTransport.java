package io.weft.instrumentation.grpc;

import io.grpc.Status;
import io.grpc.internal.ConnectionClientTransport;
import io.weft.dataplane.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The way of a channel to one endpoint: one transport at most that takes streams, made when one is needed, and ended when none has been
 * for as long as the app lets its channel be idle. In the channel's turns, but for {@link #lease}.
 */
final class EndpointTransport {
    /** For a connection that no call waits for. */
    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final Status IDLE = Status.UNAVAILABLE.withDescription("Channel is idle");

    private final MeshChannel channel;
    private final Endpoint endpoint;
    private final List<Attempt> waiting = new ArrayList<>();

    /** Null: none is being made. */
    private Connection connecting;

    /** Null: there is none. */
    private volatile Connection ready;

    EndpointTransport(MeshChannel channel, Endpoint endpoint) {
        this.channel = channel;
        this.endpoint = endpoint;
    }

    MeshChannel channel() {
        return channel;
    }

    Endpoint endpoint() {
        return endpoint;
    }

    boolean isReady() {
        return ready != null;
    }

    boolean isConnecting() {
        return connecting != null;
    }

    /** On any thread. @return null: there is no transport that may have another stream; {@link #await} */
    ConnectionClientTransport lease() {
        Connection current = ready;
        if (current == null) {
            return null;
        }
        if (current.lease()) {
            return current.transport();
        }
        channel.turns().execute(() -> retire(current, IDLE));
        return null;
    }

    /** On any thread. The attempt is told what came of it. @param connectNanos how long the transport may take to be there */
    void await(Attempt attempt, long connectNanos) {
        channel.turns().execute(() -> {
            ConnectionClientTransport transport = lease();
            if (transport != null) {
                attempt.connected(transport);
                return;
            }
            waiting.add(attempt);
            dial(connectNanos);
        });
    }

    /** On any thread. The attempt is over. @param late whether it has waited for as long as a connection may take */
    void leave(Attempt attempt, boolean late) {
        channel.turns().execute(() -> {
            boolean waited = waiting.remove(attempt);
            if (waited && late && connecting != null) {
                connecting.transport().shutdownNow(Attempt.CONNECT_TIMEOUT);
            }
        });
    }

    /** On any thread. */
    void connect() {
        channel.turns().execute(() -> {
            if (ready == null) {
                dial(CONNECT_NANOS);
            }
        });
    }

    private void dial(long connectNanos) {
        if (connecting != null) {
            return;
        }
        Status refusal = channel.refusal();
        if (refusal != null) {
            fail(refusal);
            return;
        }
        channel.remember(endpoint, this);
        Connection connection = null;
        try {
            connection = new Connection(this, channel.dial(endpoint, connectNanos));
            connecting = connection;
            channel.begins(connection);
            channel.stateChanged(false);
            connection.start();
            limit(connection, connectNanos);
        } catch (Throwable failure) {
            connecting = null;
            fail(Status.UNAVAILABLE.withDescription("a connection of the mesh cannot be made: " + failure).withCause(failure));
            channel.stateChanged(true);
            if (connection != null) {
                channel.ended(connection);
            }
        }
    }

    /** Those that wait for it may all have less time than it has, and nobody else ends one whose peer says nothing. */
    private void limit(Connection dialed, long nanos) {
        channel.scheduler().schedule(
                () -> channel.turns().execute(() -> {
                    if (dialed == connecting) {
                        dialed.transport().shutdownNow(Attempt.CONNECT_TIMEOUT);
                    }
                }),
                nanos,
                TimeUnit.NANOSECONDS);
    }

    private void fail(Status status) {
        List<Attempt> failed = List.copyOf(waiting);
        waiting.clear();
        failed.forEach(attempt -> attempt.unreachable(status));
    }

    /** It can take streams. */
    void connected(Connection connection) {
        if (connection != connecting) {
            return;
        }
        connecting = null;
        ready = connection;
        channel.stateChanged(false);
        List<Attempt> connected = List.copyOf(waiting);
        waiting.clear();
        connected.forEach(attempt -> attempt.connected(connection.transport()));
        if (connected.isEmpty()) {
            connection.unused();
        }
    }

    /** It takes no more streams; those that it has may go on. */
    void closing(Connection connection, Status status) {
        if (connection == connecting) {
            connecting = null;
            fail(status);
            channel.stateChanged(true);
        } else if (connection == ready) {
            ready = null;
            channel.stateChanged(false);
        }
        forgetIfUnused();
    }

    private void forgetIfUnused() {
        if (ready == null && connecting == null && waiting.isEmpty()) {
            channel.forget(endpoint, this);
        }
    }

    /** No stream may use it any more. */
    void retire(Connection connection, Status status) {
        if (connection == ready) {
            ready = null;
            channel.stateChanged(false);
        }
        connection.transport().shutdown(status);
    }

    void retireIdle(Connection connection) {
        retire(connection, IDLE);
        forgetIfUnused();
    }
}
