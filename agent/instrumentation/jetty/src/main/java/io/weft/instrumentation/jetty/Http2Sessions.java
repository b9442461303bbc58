package io.weft.instrumentation.jetty;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/** Connections that speak HTTP/2, whose callers can be told, by a GOAWAY, to use another one for what comes next. Thread-safe. */
final class Http2Sessions {
    /** Null: this Jetty has no HTTP/2. */
    private final Class<?> type;
    private final MethodHandle lastStreams;
    /** Before 10 a GOAWAY ends the output: no stream may be under way. Null: it may. */
    private final MethodHandle streams;

    Http2Sessions(AdapterContext context) {
        Class<?> found = null;
        MethodHandle tell = null;
        MethodHandle open = null;
        try {
            MethodHandles.Lookup lookup = context.lookup("org.eclipse.jetty.http2.HTTP2Connection");
            found = lookup.lookupClass();
            Class<?> session = found.getMethod("getSession").getReturnType();
            MethodHandle sessionOf = lookup.findVirtual(found, "getSession", MethodType.methodType(session));
            MethodHandle shutdown = shutdown(lookup, session);
            if (shutdown == null) {
                MethodHandle close = lookup.findVirtual(
                        session, "close", MethodType.methodType(boolean.class, int.class, String.class, Callback.class));
                shutdown = MethodHandles.insertArguments(close, 1, 0, "", Callback.NOOP);
                open = MethodHandles.filterArguments(
                                lookup.findVirtual(session, "getStreams", MethodType.methodType(Collection.class)), 0, sessionOf)
                        .asType(MethodType.methodType(Collection.class, Object.class));
            }
            tell = MethodHandles.filterArguments(shutdown, 0, sessionOf).asType(MethodType.methodType(void.class, Object.class));
        } catch (ReflectiveOperationException e) {
            if (found != null) {
                context.warn("Jetty: HTTP/2 connections that have to go are not told so before they are closed: " + e);
                found = null;
            }
        }
        type = found;
        lastStreams = tell;
        streams = open;
    }

    /** @return null: before 10 */
    private static MethodHandle shutdown(MethodHandles.Lookup lookup, Class<?> session) throws IllegalAccessException {
        try {
            return lookup.findVirtual(session, "shutdown", MethodType.methodType(CompletableFuture.class));
        } catch (NoSuchMethodException before10) {
            return null;
        }
    }

    void lastStreams(ServerConnector connector) {
        for (EndPoint endPoint : connector.getConnectedEndPoints()) {
            lastStreams(endPoint.getConnection());
        }
    }

    /** More than once does nothing more, and before 10 not before the last stream that is under way is over. */
    void lastStreams(Connection connection) {
        if (type == null || !type.isInstance(connection)) {
            return;
        }
        try {
            if (streams != null && !((Collection<?>) (Collection) streams.invokeExact((Object) connection)).isEmpty()) {
                return;
            }
            lastStreams.invokeExact((Object) connection);
        } catch (Throwable closed) {
            // Whoever has gone needs not be told.
            return;
        }
    }
}
