package io.weft.controlplane.token;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Optional;

/**
 * Who calls: the token of the call's {@code authorization} header, with or without {@code Bearer} (Kuma's data planes leave it out).
 *
 * @param token empty: none came, or one that proves nothing
 * @param complaint why there is none
 */
public record Bearer(Optional<Token> token, String complaint) {

    private static final Context.Key<Bearer> CURRENT = Context.key("bearer");
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String SCHEME = "Bearer ";

    /** Of the call that is being served; only where {@link Reader} is in front. */
    public static Bearer current() {
        return CURRENT.get();
    }

    static Bearer of(String header, TokenKey key) {
        if (header == null) {
            return new Bearer(Optional.empty(),
                    "no token came: make one with weft token, and give its file to the agent as WEFT_CONTROL_PLANE_TOKEN_FILE");
        }
        boolean named = header.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
        try {
            return new Bearer(Optional.of(key.verify(named ? header.substring(SCHEME.length()).strip() : header.strip())), "");
        } catch (InvalidTokenException e) {
            return new Bearer(Optional.empty(), e.getMessage());
        }
    }

    /** Reads the header of every call; refuses none, which is up to the service. */
    public static final class Reader implements ServerInterceptor {
        private final TokenKey key;

        public Reader(TokenKey key) {
            this.key = key;
        }

        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            Context context = Context.current().withValue(CURRENT, of(headers.get(AUTHORIZATION), key));
            return Contexts.interceptCall(context, call, headers, next);
        }
    }
}
