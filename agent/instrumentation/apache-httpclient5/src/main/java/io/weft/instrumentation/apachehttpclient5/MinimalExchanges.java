package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Unsent;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.Configurable;
import org.apache.hc.client5.http.nio.AsyncClientConnectionManager;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.concurrent.ComplexCancellable;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncPushConsumer;
import org.apache.hc.core5.http.nio.AsyncRequestProducer;
import org.apache.hc.core5.http.nio.HandlerFactory;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.reactor.ConnectionInitiator;

/** Requests of minimal asynchronous clients over HTTP/1.1: for those of the mesh there is a hop, over the client's own connections. Thread-safe. */
final class MinimalExchanges {
    private static final String ASYNC = "org.apache.hc.client5.http.impl.async.";

    private final AdapterContext context;
    private final AsyncInternals internals;
    private final AsyncDialing dialing;
    private final MinimalClients clients;
    private final MethodHandle manager;
    private final MethodHandle initiator;
    private final MethodHandle status;
    private final MethodHandle attachment;
    private final MethodHandle producer;
    private final Class<?> basic;
    private final AtomicLong count = new AtomicLong();

    MinimalExchanges(AdapterContext context, AsyncInternals internals, AsyncDialing dialing, MinimalClients clients) throws ReflectiveOperationException {
        this.context = context;
        this.internals = internals;
        this.dialing = dialing;
        this.clients = clients;
        Lookup client = context.lookup(ASYNC + "MinimalHttpAsyncClient");
        manager = client.findGetter(client.lookupClass(), "manager", AsyncClientConnectionManager.class)
                .asType(MethodType.methodType(AsyncClientConnectionManager.class, Object.class));
        attachment = attachment(client);
        Lookup base = context.lookup(ASYNC + "AbstractHttpAsyncClientBase");
        initiator = base.findVirtual(base.lookupClass(), "getConnectionInitiator", MethodType.methodType(ConnectionInitiator.class))
                .asType(MethodType.methodType(ConnectionInitiator.class, Object.class));
        status = base.findGetter(base.lookupClass(), "status", AtomicReference.class)
                .asType(MethodType.methodType(AtomicReference.class, Object.class));
        Lookup handler = context.lookup("org.apache.hc.core5.http.nio.support.BasicClientExchangeHandler");
        basic = handler.lookupClass();
        producer = handler.findGetter(basic, "requestProducer", AsyncRequestProducer.class)
                .asType(MethodType.methodType(AsyncRequestProducer.class, Object.class));
    }

    /** Before 5.2 what is to be spoken is said by an {@code HttpVersionPolicy} alone. */
    private static MethodHandle attachment(Lookup client) throws ReflectiveOperationException {
        try {
            return attachment(client, "tlsConfig");
        } catch (NoSuchFieldException before) {
            return attachment(client, "versionPolicy");
        }
    }

    private static MethodHandle attachment(Lookup client, String field) throws ReflectiveOperationException {
        return client.unreflectGetter(client.lookupClass().getDeclaredField(field)).asType(MethodType.methodType(Object.class, Object.class));
    }

    /** @return what cancels it, or {@link Handler#PROCEED}: it is none of the mesh's, or not to be sent, of which the library is to hear */
    Object execute(Object client, MinimalHandler handler, HandlerFactory<AsyncPushConsumer> push, HttpContext http) throws Throwable {
        // Else the library has something to say.
        if (!String.valueOf(((AtomicReference<?>) status.invokeExact(client)).get()).equals("RUNNING")) {
            return Handler.PROCEED;
        }
        HttpClientContext own = http == null ? HttpClientContext.create() : HttpClientContext.adapt(http);
        if (!handler.produce(own)) {
            return Handler.PROCEED;
        }
        HttpRequest request = handler.request();
        if (request.getScheme() == null || request.getAuthority() == null) {
            return Handler.PROCEED;
        }
        HttpHost target = new HttpHost(request.getScheme(), request.getAuthority());
        UnledRequest asked = MinimalClients.exchange(request, target);
        if (clients.outside(target) != null || !clients.isClaimed(asked, target)) {
            return Handler.PROCEED;
        }
        try {
            return lead(client, handler, push, own, MinimalClients.route(target));
        } catch (Throwable fault) {
            handler.apps().failed(Unsent.failure(asked, fault));
            return (Cancellable) () -> false;
        }
    }

    private Cancellable lead(Object client, MinimalHandler handler, HandlerFactory<AsyncPushConsumer> push, HttpClientContext http, HttpRoute route)
            throws Throwable {
        HttpRequest request = handler.request();
        if (request instanceof Configurable configured && configured.getConfig() != null) {
            http.setRequestConfig(configured.getConfig());
        }
        // As a connection would, which a request that the mesh answers never has.
        internals.request(http, request);
        AsyncClientExchangeHandler apps = handler.apps();
        MinimalRuntime connections = new MinimalRuntime(
                (AsyncClientConnectionManager) manager.invokeExact(client),
                (ConnectionInitiator) initiator.invokeExact(client),
                (Object) attachment.invokeExact(client),
                push);
        String id = "weft-minimal-" + count.incrementAndGet();
        ComplexCancellable cancellable = new ComplexCancellable();
        MinimalBody body = handler.details() == null
                ? null
                : new MinimalBody(apps, handler.details(), basic.isInstance(apps) ? (AsyncRequestProducer) producer.invokeExact((Object) apps) : null);
        AsyncHop hop = new AsyncHop(context, internals, dialing, internals.scope(id, route, request, cancellable, http, connections), id,
                new MinimalExchange(apps, request, handler.details(), connections), body);
        hop.start();
        cancellable.setDependency(hop::cancel);
        return cancellable;
    }
}
