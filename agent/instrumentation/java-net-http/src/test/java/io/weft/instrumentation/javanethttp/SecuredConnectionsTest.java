package io.weft.instrumentation.javanethttp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.THROWABLE;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.Outbound;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Here nothing is woven into the JDK, so that it goes on as it does after a fault of a hook, or once that is off: it takes a connection
 * that has none of the mesh's TLS for connected and is about to send a request over it in plaintext.
 */
class SecuredConnectionsTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress(InetAddress.getLoopbackAddress(), 80);
    private static final Endpoint PLAIN = new Endpoint(ADDRESS, null);
    private static final Endpoint SECURED = new Endpoint(ADDRESS, new Tls());

    private final HttpRequest asSent = HttpRequest.newBuilder(URI.create("http://orders/")).build();
    private JavaNetHttpAdapter adapter;
    private Internals internals;
    private Object client;
    private Object request;
    private Object exchange;

    private record Tls() implements ClientTls {
        @Override
        public String id() {
            return "test";
        }

        @Override
        public ClientConnections connections() {
            throw new UnsupportedOperationException("no handshake is done");
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException("no hook asks for it");
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException("no hook asks for it");
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException("the JDK's client has no sockets");
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException("the JDK's client has no sockets");
        }
    }

    private record Jdk() implements AdapterContext {
        @Override
        public Outbound outbound() {
            throw new UnsupportedOperationException("nothing is claimed");
        }

        @Override
        public Inbound inbound() {
            throw new UnsupportedOperationException("nothing comes in");
        }

        @Override
        public ClassLoader library() {
            return null;
        }

        @Override
        public MethodHandles.Lookup lookup(String className) throws ReflectiveOperationException {
            return MethodHandles.privateLookupIn(Class.forName(className), MethodHandles.lookup());
        }

        @Override
        public void wake(String hook) {}

        @Override
        public boolean late() {
            return false;
        }

        @Override
        public void warn(String message) {
            throw new AssertionError(message);
        }
    }

    @BeforeEach
    void beginARequest() throws Throwable {
        adapter = new JavaNetHttpAdapter(new Jdk());
        internals = new Internals(new Jdk());
        HttpClient facade = HttpClient.newHttpClient();
        Field impl = facade.getClass().getDeclaredField("impl");
        impl.setAccessible(true);
        client = impl.get(facade);
        request = internals.newRequest(asSent);
        // 17 has an argument more at the end.
        Constructor<?> constructor = jdk("MultiExchange").getDeclaredConstructors()[0];
        Object[] arguments = new Object[constructor.getParameterCount()];
        arguments[0] = asSent;
        arguments[1] = request;
        arguments[2] = client;
        constructor.setAccessible(true);
        exchange = internals.newExchange(request, constructor.newInstance(arguments));
    }

    private static Class<?> jdk(String name) throws ClassNotFoundException {
        return Class.forName("jdk.internal.net.http." + name);
    }

    private Object secured(UnderWay attempt) {
        Dialing dialing = new Dialing(() -> {});
        dialing.begin(request, exchange, SECURED, attempt);
        Object connection = new SecuredConnections(internals, dialing).connection(client, request);
        dialing.end();
        return connection;
    }

    private Object plain() throws Throwable {
        return internals.newConnection(ADDRESS, client, request);
    }

    /** What the JDK is told when it is about to send the request. */
    private Object connected(Object connection) throws Throwable {
        internals.finishConnect(connection);
        Constructor<?> constructor = jdk("Http1Exchange").getDeclaredConstructor(jdk("Exchange"), jdk("HttpConnection"));
        constructor.setAccessible(true);
        return ((Handler.Around) adapter.handler("connected")).around(constructor.newInstance(exchange, connection), connection, null, null, null);
    }

    private static void assertRefused(Object outcome) {
        assertThat(outcome).asInstanceOf(type(Handler.Thrown.class)).extracting(Handler.Thrown::throwable, THROWABLE)
                .isInstanceOf(ConnectException.class).hasMessageContaining("nothing is sent");
    }

    @Test
    void aRequestIsNotSentOverAConnectionThatWasNotSecured() throws Throwable {
        UnderWay attempt = new UnderWay(null, SECURED);
        internals.bodyIgnored(exchange, attempt);
        assertRefused(connected(secured(attempt)));
    }

    @Test
    void norOverOneOfARequestThatIsNotKnownAnyMore() throws Throwable {
        assertRefused(connected(secured(new UnderWay(null, SECURED))));
    }

    @Test
    void norOverOneThatTheJdkHasMadeItself() throws Throwable {
        internals.bodyIgnored(exchange, new UnderWay(null, SECURED));
        assertRefused(connected(plain()));
    }

    @Test
    void norOverHttp2() throws Throwable {
        internals.bodyIgnored(exchange, new UnderWay(null, SECURED));
        Constructor<?> constructor = jdk("Http1Exchange").getDeclaredConstructor(jdk("Exchange"), jdk("HttpConnection"));
        constructor.setAccessible(true);
        Object impl = constructor.newInstance(exchange, plain());
        Object sent = ((Handler.Around) adapter.handler("connected-http2")).around(impl, null, null, null, null);
        assertThat((CompletableFuture<?>) sent).isCompletedExceptionally();
    }

    @Test
    void whatIsInPlaintextByPolicyOrNoneOfTheMeshsBusinessIsSent() throws Throwable {
        assertThat(connected(plain())).isSameAs(Handler.PROCEED);
        SecuredConnections any = new SecuredConnections(internals, new Dialing(() -> {}));
        assertThat(any.refusal(plain(), new UnderWay(null, PLAIN))).isNull();
    }
}
