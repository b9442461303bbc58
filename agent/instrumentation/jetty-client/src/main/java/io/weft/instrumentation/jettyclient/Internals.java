package io.weft.instrumentation.jettyclient;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.transport.HttpRequest;

/** What of the library's is not for everybody. Thread-safe. */
final class Internals {
    /** Read once, by {@link Members}. */
    private static volatile AdapterContext context;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        Internals.context = context;
        AdapterContext.initialize(MethodHandles.lookup(), Members.class);
    }

    /** The app's patience begins. */
    void sent(HttpRequest request) throws Throwable {
        Members.SENT.invokeExact(request);
    }

    /** What the app may ask its request for. */
    void connection(HttpRequest attempt, HttpRequest apps) throws Throwable {
        if (Members.GET_CONNECTION != null && Members.SET_CONNECTION != null) {
            Members.SET_CONNECTION.invokeExact(apps, (Connection) Members.GET_CONNECTION.invokeExact(attempt));
        }
    }

    /** Constants, of each library's loader its own: with them the JIT compiles what a member leads to into the caller. */
    private static final class Members {
        static final MethodHandle SENT;

        /** Null up to 12.0.4. */
        static final MethodHandle GET_CONNECTION;

        /** Null as the other. */
        static final MethodHandle SET_CONNECTION;

        static {
            try {
                MethodHandles.Lookup request = context.lookup(HttpRequest.class.getName());
                SENT = request.findVirtual(HttpRequest.class, "sent", MethodType.methodType(void.class));
                GET_CONNECTION = optional(request, "getConnection", MethodType.methodType(Connection.class));
                SET_CONNECTION = optional(request, "setConnection", MethodType.methodType(void.class, Connection.class));
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static MethodHandle optional(MethodHandles.Lookup request, String name, MethodType type) throws IllegalAccessException {
            try {
                return request.findVirtual(HttpRequest.class, name, type);
            } catch (NoSuchMethodException e) {
                return null;
            }
        }
    }
}
