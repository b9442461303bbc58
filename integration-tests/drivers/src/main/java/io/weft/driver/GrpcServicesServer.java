package io.weft.driver;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * {@link GrpcServer} as apps have it: with interceptors, reflection and health. What the interceptors saw of a call is in its trailers:
 * {@code seen}, in their order; {@code count} of the calls that came to the outer one before; and what it asked the call for:
 * {@code headers} (their names), {@code attributes}, {@code peer} and {@code session}. The header {@code health} of a call changes the app's own.
 */
public final class GrpcServicesServer {
    private static final Context.Key<List<String>> SEEN = Context.key("seen");
    private static final Metadata.Key<String> HEALTH = key("health");

    private GrpcServicesServer() {}

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, GrpcServicesServer::start);
    }

    private static ServerDriver.Server start(String instance) throws Exception {
        HealthStatusManager health = new HealthStatusManager();
        health.setStatus(GrpcClient.SERVICE, ServingStatus.SERVING);
        Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(GrpcServer.service(instance))
                .addService(ProtoReflectionService.newInstance())
                .addService(health.getHealthService())
                .intercept(new Inner(health))
                .intercept(new Outer())
                .build()
                .start();
        return new ServerDriver.Server() {
            @Override
            public int port() {
                return server.getPort();
            }

            @Override
            public void close() throws InterruptedException {
                health.enterTerminalState();
                server.shutdown().awaitTermination();
            }
        };
    }

    private static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    /** The last that is added is called first. */
    private static final class Outer implements ServerInterceptor {
        private final AtomicInteger calls = new AtomicInteger();

        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            int before = calls.getAndIncrement();
            List<String> seen = new ArrayList<>(List.of("outer starts"));
            ServerCall<Q, A> noted = new SimpleForwardingServerCall<>(call) {
                @Override
                public void close(Status status, Metadata trailers) {
                    seen.add("outer closes");
                    trailers.put(key("seen"), String.join(",", seen));
                    trailers.put(key("count"), Integer.toString(before));
                    String attributes = call.getAttributes().toString();
                    trailers.put(key("attributes"), String.join(" ", new TreeSet<>(List.of(attributes.substring(1, attributes.length() - 1).split(", ")))));
                    InetSocketAddress peer = (InetSocketAddress) call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
                    trailers.put(key("peer"), peer.getAddress().getHostAddress() + ":" + peer.getPort());
                    trailers.put(key("session"), String.valueOf(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION)));
                    trailers.put(key("headers"), String.join(" ", new TreeSet<>(headers.keys())));
                    super.close(status, trailers);
                }
            };
            return Contexts.interceptCall(Context.current().withValue(SEEN, seen), noted, headers, next);
        }
    }

    private record Inner(HealthStatusManager health) implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            List<String> seen = SEEN.get();
            seen.add("inner starts");
            if (headers.containsKey(HEALTH)) {
                health.setStatus(GrpcClient.SERVICE, ServingStatus.valueOf(headers.get(HEALTH)));
            }
            return next.startCall(
                    new SimpleForwardingServerCall<>(call) {
                        @Override
                        public void close(Status status, Metadata trailers) {
                            seen.add("inner closes");
                            super.close(status, trailers);
                        }
                    },
                    headers);
        }
    }
}
