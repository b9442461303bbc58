package io.weft.policy.xds;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.ScheduledFuture;
import io.weft.policy.xds.GrpcStatus.Code;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Opens calls, each on a new connection. Confined to the event loop, on which it also resolves the host name: the loop has
 * nothing else to do while there is no connection.
 */
final class GrpcConnector {
    private final EventLoop loop;
    private final GrpcServer server;
    private final ControlPlaneCredentials credentials;
    private final TransportLimits limits;
    private final Keepalive keepalive;

    GrpcConnector(
            EventLoop loop, GrpcServer server, ControlPlaneCredentials credentials, TransportLimits limits) {
        this.loop = loop;
        this.server = server;
        this.credentials = credentials;
        this.limits = limits;
        this.keepalive = new Keepalive(limits.keepaliveIdle(), limits.keepaliveTimeout());
    }

    /** @param path {@code /package.Service/Method} */
    GrpcStream open(String path, GrpcStreamListener listener) {
        Attempt attempt = new Attempt(path, listener);
        loop.execute(attempt::start);
        return attempt;
    }

    private static boolean isLoopback(SocketAddress address) {
        return !(address instanceof InetSocketAddress network) || network.getAddress().isLoopbackAddress();
    }

    /** From the first address tried to the end of the call. */
    private final class Attempt implements GrpcStream {
        private final String path;
        private final GrpcStreamListener listener;
        private final Map<String, String> headers = new HashMap<>(server.headers());
        private Optional<SslContext> tls = Optional.empty();
        private List<SocketAddress> addresses = List.of();
        private ScheduledFuture<?> setupDeadline;
        private Channel channel;
        private GrpcStreamHandler call;
        private boolean ended;

        Attempt(String path, GrpcStreamListener listener) {
            this.path = path;
            this.listener = listener;
        }

        void start() {
            if (ended) {
                return;
            }
            try {
                connect();
            } catch (Throwable e) {
                // Whatever it is, an error of the heap or of a class too, it must not end the attempts.
                end(GrpcStatus.internal(e.toString()));
            }
        }

        private void connect() {
            Optional<String> authorization;
            try {
                authorization = credentials.authorization();
                if (server.tls()) {
                    tls = Optional.of(credentials.sslContext());
                }
            } catch (IOException e) {
                end(new GrpcStatus(Code.UNAUTHENTICATED, e.getMessage()));
                return;
            }
            try {
                addresses = server.resolve();
            } catch (IOException e) {
                end(GrpcStatus.unavailable(e.getMessage()));
                return;
            }
            if (authorization.isPresent() && !server.tls() && !addresses.stream().allMatch(GrpcConnector::isLoopback)) {
                end(new GrpcStatus(Code.UNAUTHENTICATED,
                        "the token is not sent to " + server + " in clear text: use grpcs:// or do without the token file"));
                return;
            }
            authorization.ifPresent(value -> headers.put("authorization", value));
            setupDeadline = loop.schedule(() -> end(GrpcStatus.unavailable("no HTTP/2 from " + server + " within "
                    + limits.setup().toMillis() + " ms; is it the port of " + server.role() + "?")),
                    limits.setup().toNanos(), TimeUnit.NANOSECONDS);
            connect(0);
        }

        private void connect(int index) {
            SocketAddress target = addresses.get(index);
            Bootstrap bootstrap = new Bootstrap()
                    .group(loop)
                    .channelFactory(server::channel)
                    // Heap and unpooled: one slow stream gains nothing from pools, and Netty's would load JFR and Unsafe.
                    .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false, true))
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) limits.connect().toMillis())
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel fresh) {
                            call = GrpcStreamHandler.of(
                                    new GrpcStreamHandler.Call(server, path, headers), limits, keepalive, callListener());
                            if (tls.isPresent()) {
                                InetSocketAddress named = (InetSocketAddress) target;
                                fresh.pipeline().addLast(
                                        tls.get().newHandler(fresh.alloc(), named.getHostString(), named.getPort()),
                                        new TlsGate(call, Attempt.this::end));
                            } else {
                                fresh.pipeline().addLast(call);
                            }
                        }
                    });
            if (target instanceof InetSocketAddress) {
                bootstrap.option(ChannelOption.TCP_NODELAY, true);
            }
            ChannelFuture connecting = bootstrap.connect(target);
            channel = connecting.channel();
            connecting.addListener(done -> {
                if (done.isSuccess() || ended) {
                    return;
                }
                if (index + 1 < addresses.size()) {
                    connect(index + 1);
                } else {
                    end(GrpcStatus.unavailable("cannot connect to " + server + ": " + done.cause().getMessage()));
                }
            });
        }

        private GrpcStreamListener callListener() {
            return new GrpcStreamListener() {
                @Override
                public void opened(SocketAddress local) {
                    setupDeadline.cancel(false);
                    listener.opened(local);
                }

                @Override
                public void message(byte[] message) {
                    if (!ended) {
                        listener.message(message);
                    }
                }

                @Override
                public void closed(GrpcStatus status) {
                    end(status);
                }
            };
        }

        @Override
        public void send(byte[] message) {
            if (!ended && call != null) {
                call.send(message);
            }
        }

        @Override
        public void halfClose() {
            if (!ended && call != null) {
                call.finish();
            }
        }

        @Override
        public void finish() {
            if (!ended && call != null) {
                call.finish();
            }
            cancel(new GrpcStatus(Code.CANCELLED, "finished"));
        }

        @Override
        public void cancel(GrpcStatus why) {
            loop.execute(() -> end(why));
        }

        private void end(GrpcStatus status) {
            if (ended) {
                return;
            }
            ended = true;
            if (setupDeadline != null) {
                setupDeadline.cancel(false);
            }
            if (channel != null) {
                channel.close();
            }
            listener.closed(status);
        }
    }
}
