package io.weft.policy.xds;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.ScheduledFuture;
import io.weft.policy.xds.GrpcStatus.Code;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Opens calls, each on a new connection. Confined to the event loop, on which it also resolves the host name: the loop has
 * nothing else to do while there is no connection.
 */
final class GrpcConnector {
    private final EventLoop loop;
    private final ControlPlaneAddress address;
    private final ControlPlaneCredentials credentials;
    private final TransportLimits limits;
    private final Keepalive keepalive;

    GrpcConnector(
            EventLoop loop, ControlPlaneAddress address, ControlPlaneCredentials credentials, TransportLimits limits) {
        this.loop = loop;
        this.address = address;
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

    /** From the first address tried to the end of the call. */
    private final class Attempt implements GrpcStream {
        private final String path;
        private final GrpcStreamListener listener;
        private Optional<String> authorization = Optional.empty();
        private Optional<SslContext> tls = Optional.empty();
        private List<InetAddress> addresses = List.of();
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
            try {
                authorization = credentials.authorization();
                if (address.tls()) {
                    tls = Optional.of(credentials.sslContext());
                }
            } catch (IOException e) {
                end(new GrpcStatus(Code.UNAUTHENTICATED, e.getMessage()));
                return;
            }
            try {
                addresses = List.of(InetAddress.getAllByName(address.host()));
            } catch (UnknownHostException e) {
                end(GrpcStatus.unavailable("the host name " + address.host() + " of the control plane does not resolve"));
                return;
            }
            if (authorization.isPresent() && !address.tls() && !addresses.stream().allMatch(InetAddress::isLoopbackAddress)) {
                end(new GrpcStatus(Code.UNAUTHENTICATED,
                        "the token is not sent to " + address + " in clear text: use grpcs:// or do without the token file"));
                return;
            }
            setupDeadline = loop.schedule(() -> end(GrpcStatus.unavailable("no HTTP/2 from " + address + " within "
                    + limits.setup().toMillis() + " ms; is it the xDS port of a control plane?")),
                    limits.setup().toNanos(), TimeUnit.NANOSECONDS);
            connect(0);
        }

        private void connect(int index) {
            InetSocketAddress target = new InetSocketAddress(addresses.get(index), address.port());
            ChannelFuture connecting = new Bootstrap()
                    .group(loop)
                    .channelFactory(NioSocketChannel::new)
                    // Heap and unpooled: one slow stream gains nothing from pools, and Netty's would load JFR and Unsafe.
                    .option(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false, true))
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) limits.connect().toMillis())
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel fresh) {
                            call = GrpcStreamHandler.of(
                                    new GrpcStreamHandler.Call(address, path, authorization), limits, keepalive, callListener());
                            if (tls.isPresent()) {
                                fresh.pipeline().addLast(
                                        tls.get().newHandler(fresh.alloc(), address.host(), address.port()),
                                        new TlsGate(call, Attempt.this::end));
                            } else {
                                fresh.pipeline().addLast(call);
                            }
                        }
                    })
                    .connect(target);
            channel = connecting.channel();
            connecting.addListener(done -> {
                if (done.isSuccess() || ended) {
                    return;
                }
                if (index + 1 < addresses.size()) {
                    connect(index + 1);
                } else {
                    end(GrpcStatus.unavailable("cannot connect to " + address + ": " + done.cause().getMessage()));
                }
            });
        }

        private GrpcStreamListener callListener() {
            return new GrpcStreamListener() {
                @Override
                public void opened(InetSocketAddress local) {
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
