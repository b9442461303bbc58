package io.weft.instrumentation.jettyclient;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.transport.HttpRequest;

/** What of the library's is not for everybody. Thread-safe. */
final class Internals {
    private final MethodHandle sent;

    /** Null before 12.0.2 or so. */
    private final MethodHandle getConnection;

    /** Null as the other. */
    private final MethodHandle setConnection;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup request = context.lookup(HttpRequest.class.getName());
        sent = request.findVirtual(HttpRequest.class, "sent", MethodType.methodType(void.class));
        getConnection = optional(request, "getConnection", MethodType.methodType(Connection.class));
        setConnection = optional(request, "setConnection", MethodType.methodType(void.class, Connection.class));
    }

    private static MethodHandle optional(MethodHandles.Lookup request, String name, MethodType type) throws IllegalAccessException {
        try {
            return request.findVirtual(HttpRequest.class, name, type);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** The app's patience begins. */
    void sent(HttpRequest request) throws Throwable {
        sent.invokeExact(request);
    }

    /** What the app may ask its request for. */
    void connection(HttpRequest attempt, HttpRequest apps) throws Throwable {
        if (getConnection != null && setConnection != null) {
            setConnection.invokeExact(apps, (Connection) getConnection.invokeExact(attempt));
        }
    }
}
