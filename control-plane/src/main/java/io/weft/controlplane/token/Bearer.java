package io.weft.controlplane.token;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who calls: the token of the call's {@code authorization} header, with or without {@code Bearer} (Kuma's data planes leave it out).
 *
 * @param proof empty: no token came, or one that proves nothing
 * @param complaint why there is none
 */
public record Bearer(Optional<Proof> proof, String complaint) {

    private static final Logger LOG = LoggerFactory.getLogger(Bearer.class);
    private static final Context.Key<Bearer> CURRENT = Context.key("bearer");
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String SCHEME = "Bearer ";

    /** Of the call that is being served; only where {@link Reader} is in front. */
    public static Bearer current() {
        return CURRENT.get();
    }

    public static Bearer of(Proof proof) {
        return new Bearer(Optional.of(proof), "");
    }

    /** @param complaint what is wrong and what to do about it */
    public static Bearer nobody(String complaint) {
        return new Bearer(Optional.empty(), complaint);
    }

    /** Reads the header of every call; refuses none, which is up to the service, unless nobody can say whose token it is. */
    public static final class Reader implements ServerInterceptor {
        private final Authenticator authenticator;

        public Reader(Authenticator authenticator) {
            this.authenticator = authenticator;
        }

        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            CompletableFuture<Bearer> bearer = authenticator
                    .authenticate(Optional.ofNullable(headers.get(AUTHORIZATION)).map(Reader::token), host(call))
                    .toCompletableFuture();
            Context current = Context.current();
            if (bearer.isDone() && !bearer.isCompletedExceptionally()) {
                return Contexts.interceptCall(current.withValue(CURRENT, bearer.join()), call, headers, next);
            }
            LateListener<Q> late = new LateListener<>();
            bearer.whenComplete((known, failure) -> late.become(() -> {
                if (failure != null) {
                    return closed(call, Status.fromThrowable(failure));
                }
                try {
                    return Contexts.interceptCall(current.withValue(CURRENT, known), call, headers, next);
                } catch (RuntimeException | Error e) {
                    // gRPC would say so itself, but it has returned long ago.
                    LOG.error("a call of {} cannot be served", call.getMethodDescriptor().getFullMethodName(), e);
                    return closed(call, Status.INTERNAL.withDescription("the control plane failed; its log says why"));
                }
            }));
            return late;
        }

        private static <Q> ServerCall.Listener<Q> closed(ServerCall<Q, ?> call, Status status) {
            call.close(status, new Metadata());
            return new ServerCall.Listener<>() {};
        }

        private static String host(ServerCall<?, ?> call) {
            return call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress remote
                    ? remote.getAddress().getHostAddress()
                    : "";
        }

        private static String token(String header) {
            boolean named = header.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
            return named ? header.substring(SCHEME.length()).strip() : header.strip();
        }
    }

    /**
     * Keeps what happens to a call until it is known who calls. Until then no message is asked for, so what is kept is a few events.
     */
    private static final class LateListener<Q> extends ServerCall.Listener<Q> {
        /** Null once the listener is there; guarded by this. */
        private List<Consumer<ServerCall.Listener<Q>>> kept = new ArrayList<>();
        private ServerCall.Listener<Q> listener;

        /** With the lock held, so that no event overtakes another one. */
        synchronized void become(Supplier<ServerCall.Listener<Q>> known) {
            listener = known.get();
            kept.forEach(event -> event.accept(listener));
            kept = null;
        }

        private synchronized void tell(Consumer<ServerCall.Listener<Q>> event) {
            if (kept == null) {
                event.accept(listener);
            } else {
                kept.add(event);
            }
        }

        @Override
        public void onMessage(Q message) {
            tell(each -> each.onMessage(message));
        }

        @Override
        public void onHalfClose() {
            tell(ServerCall.Listener::onHalfClose);
        }

        @Override
        public void onCancel() {
            tell(ServerCall.Listener::onCancel);
        }

        @Override
        public void onComplete() {
            tell(ServerCall.Listener::onComplete);
        }

        @Override
        public void onReady() {
            tell(ServerCall.Listener::onReady);
        }
    }
}
