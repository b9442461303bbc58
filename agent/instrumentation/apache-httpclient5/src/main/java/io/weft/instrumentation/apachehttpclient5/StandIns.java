package io.weft.instrumentation.apachehttpclient5;

import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Attached;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.DefaultSchemePortResolver;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.io.HttpClientConnectionManager;
import org.apache.hc.client5.http.routing.RoutingSupport;

/**
 * Minimal clients have no execution chain: for requests of the mesh each is stood in for by one that has, with the same connections, and without all that a minimal
 * one does without. Thread-safe.
 */
final class StandIns {
    private final MethodHandle connections;
    private final Attached<CloseableHttpClient> byMinimal = new Attached<>();

    StandIns(AdapterContext context) throws ReflectiveOperationException {
        MethodHandles.Lookup client = context.lookup("org.apache.hc.client5.http.impl.classic.MinimalHttpClient");
        connections = client.findGetter(client.lookupClass(), "connManager", HttpClientConnectionManager.class)
                .asType(MethodType.methodType(HttpClientConnectionManager.class, Object.class));
    }

    CloseableHttpClient of(Object minimal) throws Throwable {
        CloseableHttpClient known = byMinimal.of(minimal);
        if (known != null) {
            return known;
        }
        // Threads that come at the same time make one each, of which one is kept; they do the same.
        CloseableHttpClient made = HttpClients.custom()
                .setConnectionManager((HttpClientConnectionManager) connections.invokeExact(minimal))
                .setConnectionManagerShared(true)
                // whatever proxy the request's own configuration names
                .setRoutePlanner((target, context) -> new HttpRoute(RoutingSupport.normalize(target, DefaultSchemePortResolver.INSTANCE)))
                .disableAuthCaching()
                .disableAutomaticRetries()
                .disableConnectionState()
                .disableContentCompression()
                .disableCookieManagement()
                .disableRedirectHandling()
                .build();
        byMinimal.put(minimal, made);
        return made;
    }
}
