package io.weft.policy.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.channel.EventLoop;
import io.weft.policy.Dialect;
import io.weft.policy.Health;
import io.weft.policy.NodeSource;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.PolicyClientStatus.Closed;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Connecting;
import io.weft.policy.PolicyClientStatus.Connection;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.PolicyClientStatus.Variant;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import io.weft.policy.xds.GrpcStatus.Code;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Keeps one ADS stream open: connects, falls back to the state of the world where there is no delta, waits and connects again.
 * Confined to the event loop.
 */
final class AdsClient {
    /** What kuma-cp says to the second stream of a name, for as long as it holds the first for open. */
    private static final String ALREADY_ACTIVE = "already an active stream";
    /** What it says, with the code UNKNOWN, of a token that is wrong or for somebody else. */
    private static final String UNPROVEN = "authentication failed";

    /** It ends the one before without an error; of an old stream that may as well be istiod's wish. */
    private static final Duration NEW = PolicyClientConfig.MAX_BACKOFF;
    private static final GrpcStatus TAKEN = GrpcStatus.unavailable(
            "pilot-agent ended the stream, as it serves one at a time: another client beside this one has begun one (gRPC with a target xds:///?)");

    interface Observer {
        /** A response has been taken in. */
        void responded();

        /** The state of the connection or what was taken in may differ. */
        void changed();
    }

    private final EventLoop loop;
    private final Dialect dialect;
    private final Environment environment;
    private final Intake intake;
    private final Observer observer;
    private final GrpcConnector connector;
    private final Backoff backoff;
    private final Map<ResourceType, String> stateOfTheWorldVersions = new EnumMap<>(ResourceType.class);

    private NodeSource nodes;
    private Variant variant = Variant.DELTA;
    private Instant deltaRefused = Instant.MIN;
    private Node lastSaid = Node.getDefaultInstance();
    private Connection connection;
    /** When the last stream that brought something ended, or this began; null: one brings something. */
    private Instant without;
    private Stream current;
    private Future<?> retry;
    private String identity = "";
    /** Null: nothing is said of it. */
    private Health health;
    private boolean closed;

    AdsClient(
            EventLoop loop, PolicyClientConfig config, NodeSource nodes, Intake intake, Environment environment,
            Observer observer) {
        this.loop = loop;
        this.dialect = config.dialect();
        this.environment = environment;
        this.intake = intake;
        this.observer = observer;
        this.nodes = nodes;
        this.without = environment.clock().instant();
        this.connection = new Connecting(without);
        this.backoff = new Backoff(config.initialBackoff(), config.maxBackoff(), environment.random());
        this.connector = new GrpcConnector(
                loop,
                GrpcServer.controlPlane(config.controlPlane()),
                ControlPlaneCredentials.of(config),
                environment.limits());
    }

    /** What was said of the node last; empty before the first connection. */
    Node said() {
        return lastSaid;
    }

    Connection connection() {
        return connection;
    }

    Variant variant() {
        return variant;
    }

    void connect() {
        if (closed) {
            return;
        }
        if (variant == Variant.STATE_OF_THE_WORLD
                && !environment.clock().instant().isBefore(deltaRefused.plus(environment.deltaRetry()))) {
            use(Variant.DELTA);
        }
        current = new Stream();
        current.open();
    }

    /** From now on the node is what this source says. */
    void announce(NodeSource source) {
        nodes = source;
        if (current != null) {
            current.announce();
        }
    }

    void health(Health now) {
        if (dialect == Dialect.XDS || now.equals(health)) {
            return;
        }
        health = now;
        if (current != null && current.local != null) {
            if (dialect == Dialect.ISTIO) {
                current.session.tell(now);
            } else if (now.problem().isPresent()) {
                DataplaneHealth.end(current.said, connector, loop);
            }
        }
    }

    /** From now on the node says, where that is understood, who it is by its own certificate; empty: it has none. */
    void identified(String spiffeId) {
        if (dialect == Dialect.XDS && !identity.equals(spiffeId)) {
            identity = spiffeId;
            if (current != null) {
                current.announce();
            }
        }
    }

    void close() {
        closed = true;
        if (retry != null) {
            retry.cancel(false);
        }
        if (current != null) {
            current.call.finish();
        }
        connection = new Closed();
        observer.changed();
    }

    private void use(Variant other) {
        variant = other;
        // What the other variant brings makes these versions meaningless.
        stateOfTheWorldVersions.clear();
    }

    private void ended(Stream stream, GrpcStatus status) {
        current = null;
        if (closed) {
            return;
        }
        if (stream.superseded) {
            connection = new Connecting(environment.clock().instant());
            observer.changed();
            connect();
            return;
        }
        if (!stream.responded && isUnimplemented(status)) {
            if (variant == Variant.DELTA) {
                use(Variant.STATE_OF_THE_WORLD);
                deltaRefused = environment.clock().instant();
                connection = new Connecting(deltaRefused);
                observer.changed();
                connect();
                return;
            }
            use(Variant.DELTA);
        }
        boolean taken = dialect == Dialect.ISTIO_BY_AGENT && status.code() == Code.OK && stream.good
                && Duration.between(stream.opened, environment.clock().instant()).compareTo(NEW) < 0;
        // Who has taken it comes back for it, too: each has it for a while, and not both for a moment.
        if (stream.good && !taken) {
            backoff.reset();
        }
        if (dialect == Dialect.KUMA && status.message().contains(ALREADY_ACTIVE)) {
            // Until it forgets the stream that broke, it takes the instance from callers, too: to wait for that would leave a gap.
            nodes.nameTaken();
        }
        Duration delay = backoff.next();
        if (without == null) {
            without = environment.clock().instant();
        }
        connection = new Disconnected((taken ? TAKEN : status).toString(), without, isTurnedAway(stream, status));
        retry = loop.schedule(this::connect, delay.toNanos(), TimeUnit.NANOSECONDS);
        observer.changed();
    }

    private boolean isTurnedAway(Stream stream, GrpcStatus status) {
        if (status.code() == Code.UNAUTHENTICATED || status.code() == Code.PERMISSION_DENIED) {
            return true;
        }
        return switch (dialect) {
            // So the control plane here says that a token has as many instances as it may, or that a node is none.
            case XDS -> !stream.responded && (status.code() == Code.RESOURCE_EXHAUSTED || status.code() == Code.INVALID_ARGUMENT);
            case KUMA -> status.message().startsWith(UNPROVEN);
            default -> false;
        };
    }

    // Old versions of go-control-plane say UNKNOWN, "not implemented".
    private static boolean isUnimplemented(GrpcStatus status) {
        return status.code() == Code.UNIMPLEMENTED
                || status.code() == Code.UNKNOWN && status.message().contains("not implemented");
    }

    private final class Stream implements GrpcStreamListener {
        private GrpcStream call;
        private AdsSession session;
        private InetSocketAddress local;
        private Instant opened;
        private Node said;
        /** Ended by this process, to be followed by one on which it says something else of itself. */
        private boolean superseded;
        private boolean responded;
        private boolean good;

        void open() {
            if (variant == Variant.DELTA) {
                call = connector.open(DeltaSession.PATH, this);
                session = new DeltaSession(dialect, intake, call::send, loop);
            } else {
                call = connector.open(StateOfTheWorldSession.PATH, this);
                session = new StateOfTheWorldSession(dialect, intake, call::send, loop, stateOfTheWorldVersions);
            }
        }

        void announce() {
            if (local != null) {
                Node node = node();
                if (node.equals(said)) {
                    return;
                }
                said = node;
                lastSaid = node;
                if (dialect != Dialect.KUMA) {
                    session.announce(node);
                } else {
                    superseded = true;
                    call.finish();
                }
            }
        }

        private Node node() {
            return NodeMessage.of(nodes.at(local.getAddress()), identity);
        }

        @Override
        public void opened(SocketAddress localAddress) {
            local = GrpcServer.reachable(localAddress);
            opened = environment.clock().instant();
            // Whoever is turned away has a stream before, each time.
            if (!(connection instanceof Disconnected disconnected && disconnected.turnedAway())) {
                connection = new Connected(local, opened);
            }
            said = node();
            lastSaid = said;
            session.begin(said);
            if (health != null && dialect == Dialect.ISTIO) {
                session.tell(health);
            }
            observer.changed();
        }

        @Override
        public void message(byte[] message) {
            if (closed) {
                return;
            }
            responded = true;
            without = null;
            if (!(connection instanceof Connected)) {
                connection = new Connected(local, opened);
            }
            try {
                good |= session.received(message);
            } catch (InvalidProtocolBufferException e) {
                call.cancel(GrpcStatus.internal("a message came that is no discovery response: " + e.getMessage()));
            }
            observer.responded();
            observer.changed();
        }

        @Override
        public void closed(GrpcStatus status) {
            session.end();
            ended(this, status);
        }
    }
}
