package io.weft.instrumentation.helidon;

import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** What is to be known of Helidon's {@code ServerListener}, which is not public. */
final class Listeners {
    private final MethodHandle configured;
    private final MethodHandle port;
    private final MethodHandle tls;
    private final MethodHandle stop;

    Listeners(AdapterContext context) throws ReflectiveOperationException {
        Lookup lookup = context.lookup("io.helidon.webserver.ServerListener");
        Class<?> type = lookup.lookupClass();
        // An InetSocketAddress in some versions.
        configured = lookup.unreflectGetter(type.getDeclaredField("configuredAddress"))
                .asType(MethodType.methodType(SocketAddress.class, Object.class));
        port = lookup.findVirtual(type, "port", MethodType.methodType(int.class)).asType(MethodType.methodType(int.class, Object.class));
        tls = lookup.findVirtual(type, "hasTls", MethodType.methodType(boolean.class))
                .asType(MethodType.methodType(boolean.class, Object.class));
        stop = lookup.findVirtual(type, "stop", MethodType.methodType(void.class)).asType(MethodType.methodType(void.class, Object.class));
    }

    /** As bound; null: it listens on no TCP port. */
    InetSocketAddress address(Object listener) throws Throwable {
        SocketAddress address = (SocketAddress) configured.invokeExact(listener);
        return address instanceof InetSocketAddress inet ? new InetSocketAddress(inet.getAddress(), (int) port.invokeExact(listener)) : null;
    }

    boolean hasOwnTls(Object listener) throws Throwable {
        return (boolean) tls.invokeExact(listener);
    }

    void stop(Object listener) throws Throwable {
        stop.invokeExact(listener);
    }
}
