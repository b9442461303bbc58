package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Headers;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.InetSocketAddress;

/** The server's classes are package-private: its objects come and go as {@link Object}. */
final class Internals {
    private final MethodHandle address;
    private final MethodHandle https;
    private final MethodHandle serverOfExchange;
    private final MethodHandle connectionOfExchange;
    private final MethodHandle responseHeaders;
    private final MethodHandle setClose;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup server = context.lookup("sun.net.httpserver.ServerImpl");
        MethodHandles.Lookup exchange = context.lookup("sun.net.httpserver.ExchangeImpl");
        MethodHandles.Lookup connection = context.lookup("sun.net.httpserver.HttpConnection");
        address = server.findVirtual(server.lookupClass(), "getAddress", MethodType.methodType(InetSocketAddress.class))
                .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
        https = server.findGetter(server.lookupClass(), "https", boolean.class)
                .asType(MethodType.methodType(boolean.class, Object.class));
        serverOfExchange = exchange.findGetter(exchange.lookupClass(), "server", server.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        connectionOfExchange = exchange.findGetter(exchange.lookupClass(), "connection", connection.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        responseHeaders = exchange.findVirtual(exchange.lookupClass(), "getResponseHeaders", MethodType.methodType(Headers.class))
                .asType(MethodType.methodType(Headers.class, Object.class));
        setClose = exchange.findSetter(exchange.lookupClass(), "close", boolean.class)
                .asType(MethodType.methodType(void.class, Object.class, boolean.class));
    }

    /** As bound. */
    InetSocketAddress address(Object server) throws Throwable {
        return (InetSocketAddress) address.invokeExact(server);
    }

    boolean https(Object server) throws Throwable {
        return (boolean) https.invokeExact(server);
    }

    Object server(Object exchange) throws Throwable {
        return (Object) serverOfExchange.invokeExact(exchange);
    }

    Object connection(Object exchange) throws Throwable {
        return (Object) connectionOfExchange.invokeExact(exchange);
    }

    /** The connection ends with this response, whose head says so. JDK 17 does not look at the header itself. */
    void closeAfterResponse(Object exchange) throws Throwable {
        Headers headers = (Headers) responseHeaders.invokeExact(exchange);
        headers.set("Connection", "close");
        setClose.invokeExact(exchange, true);
    }
}
