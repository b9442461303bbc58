package io.weft.instrumentation.jdkhttpserver;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The server's classes are package-private: its objects come and go as {@link Object}. */
final class Internals {
    private static final String PACKAGE = "sun.net.httpserver.";
    private static final String DISPATCHER = PACKAGE + "ServerImpl$DefaultExecutor";

    private final MethodHandle address;
    private final MethodHandle https;
    private final MethodHandle executor;
    private final MethodHandle closeConnection;
    private final MethodHandle requestCompleted;
    private final MethodHandle responseCompleted;
    private final MethodHandle markIdle;
    private final MethodHandle selector;
    private final MethodHandle setSelectionKey;
    private final MethodHandle serverOfDispatcher;
    private final MethodHandle toRegister;
    private final MethodHandle channelOfConnection;
    private final MethodHandle channelOfStream;
    private final Class<?> httpExchange;
    private final MethodHandle exchangeOfHttpExchange;
    private final MethodHandle serverOfExchange;
    private final MethodHandle connectionOfExchange;
    private final MethodHandle localAddress;
    private final MethodHandle remoteAddress;
    private final MethodHandle responseHeaders;
    private final MethodHandle setClose;
    private final MethodHandle unmodifiable;
    private final VarHandle method;
    private final VarHandle uri;
    private final VarHandle requestHeaders;

    Internals(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup server = context.lookup(PACKAGE + "ServerImpl");
        MethodHandles.Lookup exchange = context.lookup(PACKAGE + "ExchangeImpl");
        MethodHandles.Lookup connection = context.lookup(PACKAGE + "HttpConnection");
        MethodHandles.Lookup http = context.lookup(PACKAGE + "HttpExchangeImpl");
        MethodHandles.Lookup headers = context.lookup(PACKAGE + "UnmodifiableHeaders");
        httpExchange = http.lookupClass();
        address = server.findVirtual(server.lookupClass(), "getAddress", MethodType.methodType(InetSocketAddress.class))
                .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
        https = server.findGetter(server.lookupClass(), "https", boolean.class)
                .asType(MethodType.methodType(boolean.class, Object.class));
        executor = server.findGetter(server.lookupClass(), "executor", Executor.class)
                .asType(MethodType.methodType(Executor.class, Object.class));
        closeConnection = server.findVirtual(
                        server.lookupClass(), "closeConnection", MethodType.methodType(void.class, connection.lookupClass()))
                .asType(MethodType.methodType(void.class, Object.class, Object.class));
        MethodHandles.Lookup dispatcher = context.lookup(PACKAGE + "ServerImpl$Dispatcher");
        MethodHandles.Lookup stream = context.lookup(PACKAGE + "Request$ReadStream");
        MethodType ofConnection = MethodType.methodType(void.class, connection.lookupClass());
        MethodType anyOfConnection = MethodType.methodType(void.class, Object.class, Object.class);
        requestCompleted = server.findVirtual(server.lookupClass(), "requestCompleted", ofConnection).asType(anyOfConnection);
        responseCompleted = server.findVirtual(server.lookupClass(), "responseCompleted", ofConnection).asType(anyOfConnection);
        markIdle = server.findVirtual(server.lookupClass(), "markIdle", ofConnection).asType(anyOfConnection);
        selector = server.findGetter(server.lookupClass(), "selector", Selector.class)
                .asType(MethodType.methodType(Selector.class, Object.class));
        setSelectionKey = connection.findSetter(connection.lookupClass(), "selectionKey", SelectionKey.class)
                .asType(MethodType.methodType(void.class, Object.class, SelectionKey.class));
        serverOfDispatcher = dispatcher.findGetter(dispatcher.lookupClass(), "this$0", server.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        // A LinkedList in some JDKs, an ArrayList in others.
        toRegister = dispatcher.unreflectGetter(dispatcher.lookupClass().getDeclaredField("connsToRegister"))
                .asType(MethodType.methodType(Collection.class, Object.class));
        channelOfConnection = connection.findVirtual(
                        connection.lookupClass(), "getChannel", MethodType.methodType(SocketChannel.class))
                .asType(MethodType.methodType(SocketChannel.class, Object.class));
        channelOfStream = stream.findGetter(stream.lookupClass(), "channel", SocketChannel.class)
                .asType(MethodType.methodType(SocketChannel.class, Object.class));
        exchangeOfHttpExchange = http.findGetter(http.lookupClass(), "impl", exchange.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        serverOfExchange = exchange.findGetter(exchange.lookupClass(), "server", server.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        connectionOfExchange = exchange.findGetter(exchange.lookupClass(), "connection", connection.lookupClass())
                .asType(MethodType.methodType(Object.class, Object.class));
        localAddress = exchange.findVirtual(
                        exchange.lookupClass(), "getLocalAddress", MethodType.methodType(InetSocketAddress.class))
                .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
        remoteAddress = exchange.findVirtual(
                        exchange.lookupClass(), "getRemoteAddress", MethodType.methodType(InetSocketAddress.class))
                .asType(MethodType.methodType(InetSocketAddress.class, Object.class));
        responseHeaders = exchange.findVirtual(exchange.lookupClass(), "getResponseHeaders", MethodType.methodType(Headers.class))
                .asType(MethodType.methodType(Headers.class, Object.class));
        setClose = exchange.findSetter(exchange.lookupClass(), "close", boolean.class)
                .asType(MethodType.methodType(void.class, Object.class, boolean.class));
        unmodifiable = headers.findConstructor(headers.lookupClass(), MethodType.methodType(void.class, Headers.class))
                .asType(MethodType.methodType(Headers.class, Headers.class));
        method = exchange.findVarHandle(exchange.lookupClass(), "method", String.class);
        uri = exchange.findVarHandle(exchange.lookupClass(), "uri", URI.class);
        requestHeaders = exchange.findVarHandle(exchange.lookupClass(), "reqHdrs", Headers.class);
    }

    /** As bound. */
    InetSocketAddress address(Object server) throws Throwable {
        return (InetSocketAddress) address.invokeExact(server);
    }

    boolean https(Object server) throws Throwable {
        return (boolean) https.invokeExact(server);
    }

    Executor executor(Object server) throws Throwable {
        return (Executor) executor.invokeExact(server);
    }

    /** Whether it runs its tasks on the thread that accepts connections and reads requests. */
    boolean isDispatcher(Executor executor) {
        return executor.getClass().getName().equals(DISPATCHER);
    }

    /** Ends the exchange with its connection. */
    void closeConnection(Object exchange) {
        try {
            closeConnection.invokeExact(server(exchange), connection(exchange));
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** The same, on the dispatcher's thread, before there is an exchange. */
    void closeConnection(Object dispatcher, Object connection) {
        try {
            Object server = (Object) serverOfDispatcher.invokeExact(dispatcher);
            closeConnection.invokeExact(server, connection);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** As after a response: the selector looks at the connection once more. On the dispatcher's thread. */
    @SuppressWarnings("unchecked")
    void lookAgain(Object dispatcher, Object connection) throws Throwable {
        Object server = (Object) serverOfDispatcher.invokeExact(dispatcher);
        requestCompleted.invokeExact(server, connection);
        responseCompleted.invokeExact(server, connection);
        ((Collection<Object>) toRegister.invokeExact(dispatcher)).add(connection);
    }

    /**
     * The same, on any thread but the dispatcher's. Waits until the dispatcher has let go of the connection.
     *
     * @throws IOException it is closed
     */
    void lookAgainFromOutside(Object dispatcher, Object connection) throws Throwable {
        Object server = (Object) serverOfDispatcher.invokeExact(dispatcher);
        Selector selector = (Selector) this.selector.invokeExact(server);
        SocketChannel socket = channel(connection);
        socket.configureBlocking(false);
        requestCompleted.invokeExact(server, connection);
        responseCompleted.invokeExact(server, connection);
        // Before the selector may find it: the dispatcher then looks for it among the idle ones.
        markIdle.invokeExact(server, connection);
        SelectionKey key = null;
        while (key == null) {
            try {
                key = socket.register(selector, SelectionKey.OP_READ, connection);
            } catch (CancelledKeyException lookedAt) {
                selector.wakeup();
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
        setSelectionKey.invokeExact(connection, key);
        selector.wakeup();
    }

    /** The socket itself; null before it is set. */
    SocketChannel channel(Object connection) {
        try {
            return (SocketChannel) channelOfConnection.invokeExact(connection);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    SocketChannel channelOfStream(Object stream) throws Throwable {
        return (SocketChannel) channelOfStream.invokeExact(stream);
    }

    boolean isHttps(Object server) {
        try {
            return https(server);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    /** The server's own exchange behind the app's; null when it is not one of a plaintext server. */
    Object exchange(HttpExchange http) throws Throwable {
        return http.getClass() == httpExchange ? (Object) exchangeOfHttpExchange.invokeExact((Object) http) : null;
    }

    Object server(Object exchange) throws Throwable {
        return (Object) serverOfExchange.invokeExact(exchange);
    }

    Object connection(Object exchange) throws Throwable {
        return (Object) connectionOfExchange.invokeExact(exchange);
    }

    String method(Object exchange) {
        return (String) method.get(exchange);
    }

    URI uri(Object exchange) {
        return (URI) uri.get(exchange);
    }

    Headers requestHeaders(Object exchange) {
        return (Headers) requestHeaders.get(exchange);
    }

    /** What the app has from {@code getRequestHeaders} cannot be changed; it gets other ones in their place. */
    void changeRequestHeaders(Object exchange, Consumer<Headers> change) throws Throwable {
        Headers changed = new Headers();
        for (Map.Entry<String, List<String>> header : requestHeaders(exchange).entrySet()) {
            header.getValue().forEach(value -> changed.add(header.getKey(), value));
        }
        change.accept(changed);
        requestHeaders.set(exchange, (Headers) unmodifiable.invokeExact(changed));
    }

    InetSocketAddress localAddress(Object exchange) {
        try {
            return (InetSocketAddress) localAddress.invokeExact(exchange);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    InetSocketAddress remoteAddress(Object exchange) {
        try {
            return (InetSocketAddress) remoteAddress.invokeExact(exchange);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    Headers responseHeaders(Object exchange) throws Throwable {
        return (Headers) responseHeaders.invokeExact(exchange);
    }

    /** The connection ends with this response, whose head says so. JDK 17 does not look at the header itself. */
    void closeAfterResponse(Object exchange) throws Throwable {
        responseHeaders(exchange).set("Connection", "close");
        setClose.invokeExact(exchange, true);
    }
}
