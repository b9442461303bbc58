package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import com.sun.net.httpserver.HttpServer;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.CidrRange;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.HttpUri;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.rbac.v3.RBAC;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtProvider;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.RequirementRule;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import io.weft.driver.JdkHttpServer;
import io.weft.driver.UndertowServer;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Who may call an app that knows nothing of it: access control and authentication, with policies as bytes of xDS. */
class AccessControlIT {
    private static final String CLOSE = " HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();

    enum Server {
        TOMCAT {
            @Override
            JvmProcess start(JvmCommand jvm) {
                return jvm.classPath(Library.named("tomcat-10.1")).driver(driver("io.weft.driver.tomcat.jakarta.TomcatServer"), "orders");
            }
        },
        JDK_HTTP_SERVER {
            @Override
            JvmProcess start(JvmCommand jvm) {
                return jvm.driver(JdkHttpServer.class, "orders");
            }
        };

        abstract JvmProcess start(JvmCommand jvm);

        /** Its library is not on the class path of the test. */
        private static Class<?> driver(String name) {
            try {
                return Class.forName(name, false, Server.class.getClassLoader());
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private JvmProcess start(Server server) {
        return server.start(testbed.jvm("orders", Jdks.newest())
                .mesh(policies.uri(), "orders")
                .unguarded()
                .environment("WEFT_LOG_LEVEL", "debug"));
    }

    /** The status and the body of the answer to exactly these bytes. */
    private static String ask(int port, String target, String... headers) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
            socket.getOutputStream().write(("GET " + target + CLOSE + more + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            return answer.split(" ", 3)[1] + " " + answer.substring(answer.indexOf("\r\n\r\n") + 4);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Listener inbound(int port, Message... filters) {
        HttpConnectionManager.Builder manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("inbound")
                .setNormalizePath(BoolValue.of(true))
                .setMergeSlashes(true)
                .setPathWithEscapedSlashesAction(PathWithEscapedSlashesAction.UNESCAPE_AND_FORWARD)
                .setRouteConfig(RouteConfiguration.newBuilder()
                        .addVirtualHosts(VirtualHost.newBuilder().setName("app").addDomains("*").addRoutes(Routes.to("app"))));
        for (Message filter : filters) {
            manager.addHttpFilters(HttpFilter.newBuilder().setName(filter.getClass().getName()).setTypedConfig(Any.pack(filter)));
        }
        manager.addAllHttpFilters(io.weft.it.harness.Policy.connectionManager("router").getHttpFiltersList());
        return Listener.newBuilder()
                .setName("inbound:" + port)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder()
                        .setSocketAddress(SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(port)))
                .addFilterChains(FilterChain.newBuilder()
                        .addFilters(Filter.newBuilder().setName("http").setTypedConfig(Any.pack(manager.build()))))
                .build();
    }

    private static Message rbac(RBAC.Action action, String name, Permission permission, Principal principal) {
        return io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder()
                .setRules(RBAC.newBuilder()
                        .setAction(action)
                        .putPolicies(name, Policy.newBuilder().addPermissions(permission).addPrincipals(principal).build()))
                .build();
    }

    private static Principal from(String address, int length) {
        return Principal.newBuilder()
                .setDirectRemoteIp(CidrRange.newBuilder().setAddressPrefix(address).setPrefixLen(UInt32Value.of(length)))
                .build();
    }

    private void serve(Listener listener) {
        policies.serve(io.weft.it.harness.Policy.empty().cluster("app").listener(listener));
    }

    @ParameterizedTest
    @EnumSource
    void aForbiddenPathIsReachedInNoWayOfWritingIt(Server server) {
        policies.serve(io.weft.it.harness.Policy.empty());
        JvmProcess app = start(server);
        int port = app.awaitPort();
        assertThat(ask(port, "/admin")).isEqualTo("200 orders");

        Permission admin = Permission.newBuilder()
                .setUrlPath(PathMatcher.newBuilder().setPath(StringMatcher.newBuilder().setPrefix("/admin")))
                .build();
        serve(inbound(port, rbac(RBAC.Action.DENY, "no-admin", admin, Principal.newBuilder().setAny(true).build())));
        await().until(() -> ask(port, "/admin").equals("403 RBAC: access denied"));

        for (String target : new String[] {
            "/admin/keys?x=1", "/x/../admin", "/x%2f..%2fadmin", "/%61dmin", "/x/..;/admin", "/x/%2e%2e/admin", "/./admin",
            "/admin%2fkeys", "/x/%2e%2e;a=b/admin", "/%2fadmin"
        }) {
            assertThat(ask(port, target)).as(target).startsWith("4");
        }
        // The JDK's server reads "admin" as a host, and finds no context for the path that is left. It chooses the context by the path
        // as it came.
        assertThat(ask(port, "//admin")).startsWith(server == Server.JDK_HTTP_SERVER ? "404 " : "403 ");
        assertThat(ask(port, "/x/../admin")).startsWith(server == Server.JDK_HTTP_SERVER ? "400 " : "403 ");
        assertThat(ask(port, "/%61dmin")).isEqualTo("403 RBAC: access denied");
        assertThat(ask(port, "/public")).isEqualTo("200 orders");
        assertThat(ask(port, "/admin/..//public")).startsWith(server == Server.JDK_HTTP_SERVER ? "400 " : "200 orders");
        assertThat(ask(port, "/a%00b")).startsWith("400 ");
        app.awaitStderr(line -> line.contains("refused by rule 'no-admin': GET /admin from 127.0.0.1 (no identity)"));
        assertThat(policies.refusals()).isEmpty();
    }

    private static Message forbidden(String prefix) {
        Permission path = Permission.newBuilder()
                .setUrlPath(PathMatcher.newBuilder().setPath(StringMatcher.newBuilder().setPrefix(prefix)))
                .build();
        return rbac(RBAC.Action.DENY, "forbidden", path, Principal.newBuilder().setAny(true).build());
    }

    /** Held up before it is refused: then nobody is there any more to whom the refusal could be written. */
    @ParameterizedTest
    @EnumSource
    void whatIsRefusedDoesNotReachTheAppWhenItsCallerIsGone(Server server) throws Exception {
        policies.serve(io.weft.it.harness.Policy.empty());
        JvmProcess app = start(server);
        int port = app.awaitPort();
        serve(inbound(port, delay(), forbidden("/forbidden")));
        await().until(() -> ask(port, "/forbidden").startsWith("403 "));
        int before = Integer.parseInt(ask(port, "/count").substring(4));

        for (int i = 0; i < 20; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write("GET /forbidden/late HTTP/1.1\r\nHost: orders\r\nX-Late: 1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                // A reset overtakes what the server has not read yet.
                Thread.sleep(50);
                socket.setSoLinger(true, 0);
            }
        }
        await().until(() -> app.stderr().stream().filter(line -> line.contains("GET /forbidden/late")).count() >= 5);
        assertThat(ask(port, "/count")).isEqualTo("200 " + (before + 1));
    }

    private static Message delay() {
        return HTTPFault.newBuilder()
                .addHeaders(HeaderMatcher.newBuilder().setName("x-late").setPresentMatch(true))
                .setDelay(FaultDelay.newBuilder()
                        .setFixedDelay(Durations.fromMillis(300))
                        .setPercentage(FractionalPercent.newBuilder().setNumerator(100)))
                .build();
    }

    /** On the agent's timers depends all that has a time limit in this JVM. */
    @Test
    void whatWasHeldUpGoesOnByTheAppsExecutorAndNotOnTheTimersThread() {
        policies.serve(io.weft.it.harness.Policy.empty());
        int port = jdkHttpServer("caller").awaitPort();
        serve(inbound(port, delay(), forbidden("/forbidden")));
        await().until(() -> ask(port, "/forbidden").startsWith("403 "));

        assertThat(ask(port, "/thread", "X-Late: 1")).startsWith("200 ").doesNotContain("weft-timer");
    }

    @Test
    void whatWasHeldUpAndIsThenRefusedByTheAppsExecutorIsOver() throws Exception {
        policies.serve(io.weft.it.harness.Policy.empty());
        JvmProcess app = jdkHttpServer("forgetful");
        int port = app.awaitPort();
        serve(inbound(port, delay(), forbidden("/forbidden")));
        await().until(() -> isForbidden(port));

        // One of two in a row is taken at first, and refused when it goes on.
        for (int i = 0; i < 2; i++) {
            assertThat(isTurnedAway(port, "X-Late: 1\r\n")).isTrue();
        }
        assertThat(app.stop()).isEqualTo(143);
        assertThat(app.stderr()).noneMatch(line -> line.contains("in flight"));
    }

    private static boolean isForbidden(int port) {
        try {
            return new String(RawClient.ask(port, "GET /forbidden" + CLOSE + "\r\n"), StandardCharsets.ISO_8859_1).contains(" 403 ");
        } catch (UncheckedIOException refused) {
            return false;
        }
    }

    private JvmProcess jdkHttpServer(String executor) {
        return Server.JDK_HTTP_SERVER.start(testbed.jvm("orders", Jdks.newest())
                .option("-Ddriver.executor=" + executor)
                .mesh(policies.uri(), "orders")
                .unguarded());
    }

    @Test
    void whatIsRefusedDoesNotReachAServerThatStops() {
        policies.serve(io.weft.it.harness.Policy.empty());
        JvmProcess app = start(Server.JDK_HTTP_SERVER);
        int port = app.awaitPort();
        serve(inbound(port, forbidden("/forbidden")));
        await().until(() -> ask(port, "/forbidden").startsWith("403 "));

        try (RawClient idle = new RawClient(port); RawClient slow = new RawClient(port)) {
            idle.send("HEAD / HTTP/1.1\r\nHost: orders\r\n\r\n");
            assertThat(idle.readHead()).startsWith("HTTP/1.1 200");
            slow.send("GET /slow/5000 HTTP/1.1\r\nHost: orders\r\n\r\n");
            ask(port, "/stop/30");
            await().until(() -> policies.nodes().get(policies.nodes().size() - 1).getMetadata()
                    .getFieldsOrThrow("dataplane.resource").getStringValue().contains("\"inbound\":[]"));

            idle.send("GET /forbidden" + CLOSE + "\r\n");
            assertThat(new String(idle.readAll(), StandardCharsets.ISO_8859_1)).doesNotContain("200 OK");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoMayNotConnectGetsNoAnswer(Server server) {
        policies.serve(io.weft.it.harness.Policy.empty());
        int port = start(server).awaitPort();
        serve(deaf(port));

        await().until(() -> RawClient.ask(port, "GET /" + CLOSE + "\r\n").length == 0);
        assertThat(policies.refusals()).isEmpty();
    }

    /** What Undertow calls a connection is a stream then. */
    @ParameterizedTest
    @CsvSource({"undertow-2.2", "undertow-2.4"})
    void whoMayNotConnectToUndertowOverHttp2IsClosedAndForgotten(String library) {
        policies.serve(io.weft.it.harness.Policy.empty());
        JvmProcess process = testbed.jvm("orders", Jdks.newest())
                .mesh(policies.uri(), "orders")
                .unguarded()
                .environment("WEFT_DRAIN_DELAY", "0ms")
                .classPath(Library.named(library))
                .driver(UndertowServer.class, "orders");
        int port = process.awaitPort();
        serve(deaf(port));
        await().until(() -> isTurnedAway(port, ""));

        for (int i = 0; i < 3; i++) {
            assertThat(isClosedOverHttp2(port)).isTrue();
        }
        assertThat(process.stop()).isEqualTo(143);
        assertThat(process.stderr()).noneMatch(line -> line.contains("in flight"));
    }

    /** Without a response, long before anybody's patience with it is over. */
    private static boolean isClosedOverHttp2(int port) {
        try (RawClient client = new RawClient(port)) {
            // Preface and settings, then of the static table of RFC 7541 GET, http and /, and the authority x.
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + "\0\0\6\1\5\0\0\0\1\u0082\u0086\u0084\u0041\u0001x");
            return !new String(client.readAll(), StandardCharsets.ISO_8859_1).contains("orders");
        } catch (UncheckedIOException e) {
            return e.getCause() instanceof SocketException;
        }
    }

    /** A port to which nobody may connect who is here. */
    private static Listener deaf(int port) {
        Message connections = io.envoyproxy.envoy.extensions.filters.network.rbac.v3.RBAC.newBuilder()
                .setStatPrefix("connections")
                .setRules(RBAC.newBuilder().setAction(RBAC.Action.ALLOW).putPolicies("others", Policy.newBuilder()
                        .addPermissions(Permission.newBuilder().setAny(true)).addPrincipals(from("192.0.2.0", 24)).build()))
                .build();
        Listener.Builder listener = inbound(port).toBuilder();
        listener.getFilterChainsBuilder(0)
                .addFilters(0, Filter.newBuilder().setName("rbac").setTypedConfig(Any.pack(connections)));
        return listener.build();
    }

    @ParameterizedTest
    @CsvSource({"javax, tomcat-9, Nio2", "jakarta, tomcat-10.1, Nio2", "jakarta, tomcat-10.1, Nio"})
    void onTomcatsConnectorsConnectionsAreLimitedAndForgotten(String api, String library, String connector) {
        policies.serve(io.weft.it.harness.Policy.empty());
        JvmProcess process = testbed.jvm("orders", Jdks.newest())
                .mesh(policies.uri(), "orders")
                .unguarded()
                .option("-Dtomcat.protocol=org.apache.coyote.http11.Http11" + connector + "Protocol")
                .classPath(Library.named(library))
                .driver("io.weft.driver.tomcat." + api + ".TomcatServer", "orders");
        int port = process.awaitPort();
        Permission denied = Permission.newBuilder()
                .setUrlPath(PathMatcher.newBuilder().setPath(StringMatcher.newBuilder().setExact("/denied")))
                .build();

        serve(inbound(port, rbac(RBAC.Action.DENY, "loopback", denied, from("127.0.0.0", 8))));
        await().until(() -> ask(port, "/denied").startsWith("403 "));
        for (int i = 0; i < 50; i++) {
            assertThat(ask(port, "/denied")).startsWith("403 ");
        }
        await().until(() -> instances(process, "io.weft.dataplane.Connection") < 10);

        Message limit = io.envoyproxy.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit.newBuilder()
                .setStatPrefix("connections")
                .setTokenBucket(TokenBucket.newBuilder().setMaxTokens(1).setFillInterval(Durations.fromHours(1)))
                .build();
        Listener.Builder limited = inbound(port).toBuilder();
        limited.getFilterChainsBuilder(0).addFilters(0, Filter.newBuilder().setName("limit").setTypedConfig(Any.pack(limit)));
        serve(limited.build());
        await().until(() -> isTurnedAway(port, ""));
        assertThat(process.isAlive()).isTrue();
        assertThat(policies.refusals()).isEmpty();
    }

    /** Closed before its first bytes are read, a connection is reset where they have come. */
    private static boolean isTurnedAway(int port, String headers) {
        try {
            return RawClient.ask(port, "GET /" + CLOSE + headers + "\r\n").length == 0;
        } catch (UncheckedIOException reset) {
            return reset.getCause() instanceof SocketException;
        }
    }

    /** How many of a class are reachable. */
    private int instances(JvmProcess process, String type) {
        JvmProcess histogram = testbed.jvm("histogram", Jdks.newest())
                .tool("jcmd", Long.toString(process.handle().pid()), "GC.class_histogram");
        histogram.awaitExit();
        return histogram.stdout().stream()
                .map(line -> line.trim().split("\\s+"))
                .filter(columns -> columns.length > 3 && columns[3].equals(type))
                .mapToInt(columns -> Integer.parseInt(columns[1]))
                .sum();
    }

    @ParameterizedTest
    @EnumSource
    void whoIsNobodyIsLetInNowhere(Server server) {
        policies.serve(io.weft.it.harness.Policy.empty());
        int port = start(server).awaitPort();
        Permission any = Permission.newBuilder().setAny(true).build();
        Principal storefront = Principal.newBuilder()
                .setAuthenticated(Principal.Authenticated.newBuilder()
                        .setPrincipalName(StringMatcher.newBuilder().setPrefix("spiffe://")))
                .build();

        serve(inbound(port, rbac(RBAC.Action.ALLOW, "storefront", any, storefront)));
        await().until(() -> ask(port, "/").equals("403 RBAC: access denied"));
        // Nor by saying so.
        assertThat(ask(port, "/", "x-forwarded-client-cert: URI=spiffe://mesh/storefront")).startsWith("403 ");

        serve(inbound(port, rbac(RBAC.Action.ALLOW, "loopback", any, from("127.0.0.0", 8))));
        await().until(() -> ask(port, "/").equals("200 orders"));
        serve(inbound(port, rbac(RBAC.Action.ALLOW, "others", any, from("192.0.2.0", 24))));
        await().until(() -> ask(port, "/", "x-forwarded-for: 192.0.2.1").startsWith("403 "));
    }

    @ParameterizedTest
    @EnumSource
    void aTokenIsNeededAndItsKeysAreFetchedFromTheCluster(Server server) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair key = generator.generateKeyPair();
        HttpServer issuer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        testbed.closeAfterwards(() -> issuer.stop(0));
        issuer.createContext("/keys", exchange -> {
            byte[] jwks = jwks((ECPublicKey) key.getPublic()).getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, jwks.length);
            exchange.getResponseBody().write(jwks);
            exchange.close();
        });
        issuer.start();
        policies.serve(io.weft.it.harness.Policy.empty());
        int port = start(server).awaitPort();

        RemoteJwks remote = RemoteJwks.newBuilder()
                .setHttpUri(HttpUri.newBuilder().setUri("http://issuer.local/keys").setCluster("issuer").setTimeout(Durations.fromSeconds(5)))
                .build();
        policies.serve(io.weft.it.harness.Policy.empty()
                .cluster("issuer", issuer.getAddress())
                .listener(inbound(port, jwt(JwtProvider.newBuilder().setIssuer("issuer").setRemoteJwks(remote)))));
        await().until(() -> ask(port, "/").equals("401 Jwt is missing"));

        assertThat(ask(port, "/", "authorization: Bearer " + token(key, "{\"iss\":\"issuer\"}"))).isEqualTo("200 orders");
        assertThat(ask(port, "/?access_token=" + token(key, "{\"iss\":\"issuer\"}"))).isEqualTo("200 orders");
        assertThat(ask(port, "/", "authorization: Bearer " + token(key, "{\"iss\":\"issuer\",\"exp\":1}"))).isEqualTo("401 Jwt is expired");
        assertThat(ask(port, "/", "authorization: Bearer " + token(generator.generateKeyPair(), "{\"iss\":\"issuer\"}")))
                .isEqualTo("401 Jwt verification fails");

        serve(inbound(port, jwt(JwtProvider.newBuilder()
                .setIssuer("issuer")
                .setLocalJwks(DataSource.newBuilder().setInlineString("no keys")))));
        await().until(() -> ask(port, "/", "authorization: Bearer " + token(key, "{\"iss\":\"issuer\"}"))
                .equals("401 Jwks doesn't have any valid public key"));
    }

    private static Message jwt(JwtProvider.Builder provider) {
        return JwtAuthentication.newBuilder()
                .putProviders("p", provider.build())
                .addRules(RequirementRule.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRequires(JwtRequirement.newBuilder().setProviderName("p")))
                .build();
    }

    private static String token(KeyPair key, String payload) {
        try {
            String signed = base64("{\"alg\":\"ES256\"}".getBytes(StandardCharsets.US_ASCII)) + "."
                    + base64(payload.getBytes(StandardCharsets.US_ASCII));
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(key.getPrivate());
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + base64(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String jwks(ECPublicKey key) {
        return "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + coordinate(key.getW().getAffineX()) + "\",\"y\":\""
                + coordinate(key.getW().getAffineY()) + "\"}]}";
    }

    /** Of 32 bytes always: a number may begin with zeros, or have one more for its sign. */
    private static String coordinate(BigInteger number) {
        byte[] bytes = number.toByteArray();
        byte[] padded = new byte[32];
        int length = Math.min(32, bytes.length);
        System.arraycopy(bytes, bytes.length - length, padded, 32 - length, length);
        return base64(padded);
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
