package io.weft.controlplane.port;

import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands on a connection once there is a place for it. Confined to its event loop, but for what says otherwise. */
final class LimitedServerChannel extends NioServerSocketChannel {

    private static final Logger LOG = LoggerFactory.getLogger(LimitedServerChannel.class);

    private final Connections connections;
    private final PortLimits limits;
    private final Set<InLine> line = new HashSet<>();
    private final Map<InetAddress, Integer> lines = new HashMap<>();

    LimitedServerChannel(Connections connections, PortLimits limits) {
        this.connections = connections;
        this.limits = limits;
    }

    /** Confined to the event loop. */
    private final class InLine {
        private final SocketChannel socket;
        private final InetAddress host;
        private final Quota.Waiting place;
        private final Quota.Waiting handshake;
        private boolean hasPlace;
        private boolean givenUp;

        InLine(SocketChannel socket, InetAddress host) {
            this.socket = socket;
            this.host = host;
            place = new Quota.Waiting(host, 1, () -> onLoop(this::placed));
            handshake = new Quota.Waiting(host, 1, () -> onLoop(this::enter));
        }

        /** On the thread of whoever has given a place back. */
        private void onLoop(Runnable next) {
            try {
                eventLoop().execute(next);
            } catch (RejectedExecutionException e) {
                // The port is gone, and who waits for it has been told.
                LOG.debug("a place is free at a port that is closed", e);
            }
        }

        /** True: it may be served at once. */
        private boolean enters() {
            hasPlace = connections.places().takeOrWait(place);
            return hasPlace && connections.handshakes().takeOrWait(handshake);
        }

        private void placed() {
            hasPlace = true;
            if (connections.handshakes().takeOrWait(handshake)) {
                enter();
            } else if (givenUp) {
                giveUp();
            }
        }

        private void enter() {
            leave();
            if (!isOpen() || !socket.isOpen()) {
                close(socket);
                connections.handshakes().giveBack(host, 1);
                connections.places().giveBack(host, 1);
                return;
            }
            served(socket, host).ifPresent(channel -> {
                pipeline().fireChannelRead(channel);
                pipeline().fireChannelReadComplete();
            });
        }

        private void leave() {
            if (line.remove(this)) {
                lines.computeIfPresent(host, (key, number) -> number == 1 ? null : number - 1);
            }
        }

        /** Granted in this moment what it waits for, it gives that back once it hears of it. */
        private void giveUp() {
            givenUp = true;
            boolean waited = hasPlace ? connections.handshakes().giveUp(handshake) : connections.places().giveUp(place);
            if (waited) {
                leave();
                close(socket);
                if (hasPlace) {
                    connections.places().giveBack(host, 1);
                }
            }
        }
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
        SocketChannel socket = javaChannel().accept();
        if (socket == null) {
            return 0;
        }
        if (!(socket.socket().getRemoteSocketAddress() instanceof InetSocketAddress remote)) {
            close(socket);
            return 1;
        }
        InetAddress host = Connections.host(remote);
        InLine entry = new InLine(socket, host);
        if (entry.enters()) {
            served(socket, host).ifPresent(accepted::add);
        } else {
            standInLine(entry);
        }
        return 1;
    }

    private void standInLine(InLine entry) {
        if (line.size() >= limits.inLine() || lines.getOrDefault(entry.host, 0) >= limits.inLineOfOne()) {
            close(entry.socket);
            entry.giveUp();
            return;
        }
        line.add(entry);
        lines.merge(entry.host, 1, Integer::sum);
        eventLoop().schedule(entry::giveUp, limits.firstRequest().toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Empty: it has broken. Thrown from here, that would close the port. */
    private Optional<NioSocketChannel> served(SocketChannel socket, InetAddress host) {
        try {
            NioSocketChannel channel = new NioSocketChannel(this, socket);
            connections.serve(channel, host);
            return Optional.of(channel);
        } catch (RuntimeException e) {
            LOG.warn("a connection of {} cannot be served", host.getHostAddress(), e);
            close(socket);
            connections.handshakes().giveBack(host, 1);
            connections.places().giveBack(host, 1);
            return Optional.empty();
        }
    }

    private static void close(SocketChannel socket) {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("a connection that nobody serves", e);
        }
    }

    @Override
    protected void doClose() throws Exception {
        for (InLine entry : Set.copyOf(line)) {
            entry.giveUp();
        }
        super.doClose();
    }
}
