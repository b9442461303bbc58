package io.weft.instrumentation.armeriaclient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.Endpoint;
import com.linecorp.armeria.client.WebClient;
import com.sun.net.httpserver.HttpServer;
import io.netty.channel.EventLoop;
import io.weft.instrumentation.AdapterContext;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PoolsTest {
    private static final String LIBRARY = "com.linecorp.armeria.client.";

    private final ClientFactory factory = ClientFactory.builder().build();
    private HttpServer server;

    @BeforeEach
    void serve() throws Exception {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
        factory.close();
    }

    @Test
    void thePlaceOfACertificateThatIsNoMoreGoesWithIt() throws Throwable {
        Pools pools = new Pools(library());
        Object gone = asked("mesh-tls-1");
        asked("mesh-tls-2");
        pools.use(gone);
        await().untilAsserted(() ->
                assertThat(keys(gone)).anyMatch(key -> key.contains("mesh-tls-1")).anyMatch(key -> key.contains("mesh-tls-2")));
        pools.forget("mesh-tls-1");
        assertThat(keys(gone)).as("there is a connection").anyMatch(key -> key.contains("mesh-tls-1"));

        server.stop(0);

        await().untilAsserted(() -> {
            pools.forget("mesh-tls-1");
            assertThat(keys(gone)).noneMatch(key -> key.contains("mesh-tls-1")).anyMatch(key -> key.contains("mesh-tls-2"));
        });
    }

    /** After a request, whose connection is kept. @return what has the pools */
    private Object asked(String host) throws Exception {
        Endpoint endpoint = Endpoint.of(host, server.getAddress().getPort()).withIpAddr("127.0.0.1");
        WebClient client = WebClient.builder("h1c", endpoint).factory(factory).build();
        assertThat(client.get("/").aggregate().join().status().code()).isEqualTo(204);
        @SuppressWarnings("unchecked")
        Object delegate = client.as((Class<Object>) Class.forName(LIBRARY + "HttpClientDelegate"));
        return value(delegate, "factory");
    }

    private static AdapterContext library() {
        return (AdapterContext) Proxy.newProxyInstance(PoolsTest.class.getClassLoader(), new Class<?>[] {AdapterContext.class},
                (proxy, method, arguments) -> MethodHandles.privateLookupIn(Class.forName((String) arguments[0]), MethodHandles.lookup()));
    }

    /** In turn with what the pools' event loops have to do. */
    private static List<String> keys(Object factory) throws Exception {
        List<String> keys = new ArrayList<>();
        for (Object pool : ((Map<?, ?>) value(factory, "pools")).values()) {
            keys.addAll(((EventLoop) value(pool, "eventLoop")).submit(() -> {
                List<String> ofPool = new ArrayList<>();
                for (Map<?, ?> places : (Map<?, ?>[]) value(pool, "pool")) {
                    if (places != null) {
                        places.keySet().forEach(key -> ofPool.add(key.toString()));
                    }
                }
                return ofPool;
            }).get());
        }
        return keys;
    }

    private static Object value(Object object, String name) throws Exception {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(object);
    }
}
