package io.weft.it.comparison;

import java.util.Arrays;
import java.util.Optional;

/** A difference that must stay. Each is explained in {@code docs/differences-from-envoy.md}, and covers exactly what it says there. */
enum KnownDifference {

    /** The last attempt brought no response: a proxy has to make one up, an app is given its library's own exception. */
    EXCEPTION_INSTEAD_OF_503 {
        @Override
        boolean covers(Outcome envoy, Outcome jvm) {
            String reason = "upstream connect error or disconnect/reset before headers";
            boolean made = envoy.status() == 503 && (envoy.body().startsWith(reason) || isToHead(envoy))
                    || envoy.headers().stream().anyMatch(header -> header.startsWith("grpc-message: " + reason));
            return made
                    && jvm.status() == 0
                    && envoy.attempts().equals(jvm.attempts());
        }
    },

    /** No virtual host is for the destination: a proxy has to answer, in the JVM the request is none of the mesh's business. */
    UNKNOWN_HOST_INSTEAD_OF_404 {
        @Override
        boolean covers(Outcome envoy, Outcome jvm) {
            boolean noRoute = envoy.status() == 404 || envoy.headers().contains("grpc-status: 12");
            return noRoute
                    && envoy.body().isEmpty()
                    && jvm.status() == 0
                    && (jvm.failure().contains("UnknownHostException") || jvm.failure().contains("UnresolvedAddressException"))
                    && envoy.attempts().isEmpty()
                    && jvm.attempts().isEmpty();
        }
    };

    private static boolean isToHead(Outcome envoy) {
        return envoy.body().isEmpty() && envoy.headers().contains("content-type: text/plain");
    }

    abstract boolean covers(Outcome envoy, Outcome jvm);

    /** The one by which the two are allowed to differ. */
    static Optional<KnownDifference> of(Outcome envoy, Outcome jvm) {
        return Arrays.stream(values()).filter(known -> known.covers(envoy, jvm)).findFirst();
    }
}
