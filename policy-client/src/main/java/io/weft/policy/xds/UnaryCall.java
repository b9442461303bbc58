package io.weft.policy.xds;

import io.netty.channel.Channel;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.weft.policy.model.HostPort;
import io.weft.policy.xds.GrpcStatus.Code;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * One gRPC call to somebody who is no control plane, on a connection of its own: one message there, and how it ended. It blocks the
 * thread that makes it, which is the connection's own for as long. With TLS the server's certificate must be one that the JVM trusts.
 *
 * @param role for people, as in {@code the collector}
 * @param path {@code /package.Service/Method}
 * @param patience for the call as a whole
 */
public record UnaryCall(String role, HostPort server, boolean tls, String path, Duration patience) {
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * @return empty: the server has taken it; otherwise the status that it said
     * @throws IOException it could not be asked
     */
    public Optional<String> send(byte[] message) throws IOException {
        Outcome outcome = new Outcome(message);
        ManualIoEventLoop loop = new ManualIoEventLoop(Thread.currentThread(), NioIoHandler.newFactory());
        try {
            TransportLimits limits = new TransportLimits(patience, patience, patience, patience, 1 << 20, 64 << 20);
            GrpcConnector connector = new GrpcConnector(
                    loop, new Address(role, server, tls, resolve()), ControlPlaneCredentials.NONE, limits);
            outcome.stream = connector.open(path, outcome);
            long deadline = System.nanoTime() + patience.toNanos();
            while (outcome.status == null) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    outcome.stream.cancel(new GrpcStatus(Code.DEADLINE_EXCEEDED, "no answer within " + patience.toMillis() + " ms"));
                }
                loop.run(Math.max(1, Math.min(left, LOOK_NANOS)));
            }
        } finally {
            loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            while (!loop.isTerminated()) {
                loop.run(LOOK_NANOS);
            }
        }
        if (!outcome.opened) {
            throw new IOException(outcome.status.message());
        }
        return outcome.status.code() == Code.OK ? Optional.empty() : Optional.of(outcome.status.toString());
    }

    private List<SocketAddress> resolve() throws IOException {
        try {
            List<SocketAddress> addresses = new ArrayList<>();
            for (InetAddress address : InetAddress.getAllByName(server.host())) {
                addresses.add(new InetSocketAddress(address, server.port()));
            }
            return addresses;
        } catch (UnknownHostException e) {
            throw new IOException("the host name " + server.host() + " does not resolve", e);
        }
    }

    private static final class Outcome implements GrpcStreamListener {
        private final byte[] message;
        private GrpcStream stream;
        private boolean opened;
        private GrpcStatus status;

        Outcome(byte[] message) {
            this.message = message;
        }

        @Override
        public void opened(SocketAddress local) {
            opened = true;
            stream.send(message);
            stream.halfClose();
        }

        @Override
        public void message(byte[] response) {
            // How the call ends says more.
        }

        @Override
        public void closed(GrpcStatus how) {
            status = how;
        }
    }

    /** Resolved by whoever makes the call, before its thread is the connection's. */
    record Address(String role, HostPort server, boolean tls, List<SocketAddress> resolve) implements GrpcServer {

        @Override
        public String authority() {
            return server.toString();
        }

        @Override
        public Map<String, String> headers() {
            return Map.of();
        }

        @Override
        public Channel channel() {
            return new NioSocketChannel();
        }

        @Override
        public String toString() {
            return authority();
        }
    }
}
