package io.weft.transport;

import static io.weft.it.harness.Authority.dns;
import static io.weft.it.harness.Authority.uri;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.ClientTls;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.SubjectAltName;
import io.weft.policy.model.CertificateValidation.Trust;
import io.weft.policy.model.Secret;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TlsContext.Version;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.bouncycastle.asn1.x509.GeneralName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Real handshakes on loopback: who is admitted, what goes over the wire, what is resumed. */
class ClientTlsTest {
    private static final String ORDERS = "spiffe://mesh/orders";
    /** For a machine that is busy. */
    private static final long HANDSHAKE_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final Authority MESH = new Authority("mesh");
    private static final Authority OTHER = new Authority("other");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");

    private final MeshTls tls = new MeshTls();
    private final List<AutoCloseable> resources = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable resource : resources) {
            resource.close();
        }
    }

    private TlsPeer peer(Certified certificate, String... alpn) {
        TlsPeer peer = new TlsPeer(of(certificate), Optional.of(trusting(authorities(MESH))), alpn);
        resources.add(peer);
        return peer;
    }

    private static TlsCertificate of(Certified certified) {
        return new TlsCertificate(List.of(certified.certificate()), certified.key());
    }

    private static Trust authorities(Authority... some) {
        return new CertificateValidation.Authorities(List.of(some).stream().map(Authority::certificate).toList());
    }

    private static CertificateValidation trusting(Trust trust, SubjectAltName... names) {
        return new CertificateValidation(trust, List.of(names), List.of(), List.of());
    }

    private static SubjectAltName named(SubjectAltName.Kind kind, String exact) {
        return new SubjectAltName(kind, new StringMatch.Exact(exact, false));
    }

    private static final CertificateValidation ORDERS_OF_THE_MESH =
            trusting(authorities(MESH), named(SubjectAltName.Kind.URI, ORDERS));

    private static UpstreamTls socket(CertificateValidation validation, String sni, String... alpn) {
        return socket(Version.TLS_1_2, Version.TLS_1_3, List.of(), validation, sni, alpn);
    }

    private static UpstreamTls socket(
            Version minimum, Version maximum, List<String> suites, CertificateValidation validation, String sni, String... alpn) {
        return new UpstreamTls(
                new TlsContext(
                        new TlsContext.Parameters(minimum, maximum, suites),
                        List.of(alpn),
                        Optional.of(new TlsContext.InlineCertificate(of(SHOP))),
                        new TlsContext.InlineValidation(validation)),
                sni);
    }

    private ClientTls client(CertificateValidation validation) {
        return tls.client(socket(validation, ""), Map.of()).orElseThrow();
    }

    private static SSLSession call(ClientTls client, InetSocketAddress peer) throws IOException {
        Socket connected = new Socket(peer.getAddress(), peer.getPort());
        connected.setSoTimeout(5_000);
        try (SSLSocket socket = client.layer(connected, peer, HANDSHAKE_NANOS)) {
            socket.getOutputStream().write(42);
            assertThat(socket.getInputStream().read()).isEqualTo(42);
            return socket.getSession();
        }
    }

    @Test
    void bothSidesKnowEachOther() throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS));

        SSLSession session = call(client(ORDERS_OF_THE_MESH), orders.address());

        assertThat(session.getProtocol()).isEqualTo("TLSv1.3");
        assertThat(orders.session().getPeerCertificates()[0]).isEqualTo(SHOP.certificate());
    }

    @ParameterizedTest
    @CsvSource({"EC, TLS_1_2", "EC, TLS_1_3", "RSA, TLS_1_2", "RSA, TLS_1_3", "Ed25519, TLS_1_2", "Ed25519, TLS_1_3"})
    void bothSidesMayHaveAKeyOfAnyKind(String kind, Version version) throws Exception {
        KeyPairGenerator keys = KeyPairGenerator.getInstance(kind);
        Certified shop = MESH.certify(keys.generateKeyPair(), Duration.ofHours(-1), uri("spiffe://mesh/shop"));
        TlsPeer orders = peer(MESH.certify(keys.generateKeyPair(), Duration.ofHours(-1), uri(ORDERS)));
        UpstreamTls socket = new UpstreamTls(
                new TlsContext(new TlsContext.Parameters(version, version, List.of()), List.of(),
                        Optional.of(new TlsContext.InlineCertificate(of(shop))), new TlsContext.InlineValidation(ORDERS_OF_THE_MESH)),
                "");

        SSLSession session = call(tls.client(socket, Map.of()).orElseThrow(), orders.address());

        assertThat(session.getProtocol()).isEqualTo(version == Version.TLS_1_2 ? "TLSv1.2" : "TLSv1.3");
        assertThat(orders.session().getPeerCertificates()[0]).isEqualTo(shop.certificate());
    }

    private static Map<String, Secret> secrets(Secret... some) {
        return List.of(some).stream().collect(Collectors.toMap(Secret::name, secret -> secret));
    }

    private static Secret shown(String name) {
        return new Secret(name, new Secret.Identity(of(SHOP)));
    }

    private static Secret trusted(String name, Authority authority) {
        return new Secret(name, new Secret.Validation(trusting(authorities(authority))));
    }

    /** gRFC A29: policy names one for the certificate and one for the roots. */
    @Test
    void ofSeveralCertificateProvidersTheOneCountsThatPolicyNames() throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS));
        UpstreamTls socket = new UpstreamTls(
                new TlsContext(new TlsContext.Parameters(Version.TLS_1_2, Version.TLS_1_3, List.of()), List.of(),
                        Optional.of(new TlsContext.ProvidedCertificate("shown", "")),
                        new TlsContext.InlineValidation(trusting(new CertificateValidation.ProvidedAuthorities("mesh", "")))),
                "");
        Secret shop = shown("own identity shown");
        Secret other = trusted("own authorities other", OTHER);

        call(tls.client(socket, secrets(shop, other, trusted("own authorities mesh", MESH))).orElseThrow(), orders.address());
        assertThatThrownBy(() -> call(
                        tls.client(socket, secrets(shop, other, trusted("own authorities mesh", OTHER))).orElseThrow(), orders.address()))
                .hasStackTraceContaining("unable to find valid certification path");
        // Without what the named one should give, none is taken in its place.
        assertThat(tls.client(socket, secrets(shop, other))).isEmpty();
        assertThat(tls.client(socket, secrets(shown("own identity other"), trusted("own authorities mesh", MESH)))).isEmpty();
        // One alone is meant whatever a policy calls it.
        call(tls.client(socket, secrets(shown(Secret.OWN_IDENTITY), trusted(Secret.OWN_AUTHORITIES, MESH))).orElseThrow(), orders.address());
    }

    private void refuses(CertificateValidation validation, Certified certificate, String reason) {
        TlsPeer impostor = peer(certificate);
        assertThatThrownBy(() -> call(client(validation), impostor.address()))
                .isInstanceOf(IOException.class).hasStackTraceContaining(reason);
    }

    @Test
    void whoIsNotWhoPolicySaysIsRefused() {
        GeneralName orders = uri(ORDERS);
        refuses(ORDERS_OF_THE_MESH, OTHER.certify(ORDERS), "unable to find valid certification path");
        refuses(ORDERS_OF_THE_MESH, MESH.certify("spiffe://mesh/users"), "none of the peer's names");
        refuses(ORDERS_OF_THE_MESH, MESH.certify("spiffe://mesh/orders/x"), "none of the peer's names");
        refuses(ORDERS_OF_THE_MESH, MESH.certify(), "none of the peer's names");
        refuses(ORDERS_OF_THE_MESH, MESH.certify(Duration.ofHours(-1), dns(ORDERS)), "none of the peer's names");
        refuses(ORDERS_OF_THE_MESH, MESH.certify(Duration.ofDays(-2), orders), "validity check failed");
        refuses(ORDERS_OF_THE_MESH, MESH.certify(Duration.ofDays(2), orders), "validity check failed");
        refuses(trusting(new CertificateValidation.Unspecified()), MESH.certify(ORDERS), "names no authority");
        refuses(new CertificateValidation(authorities(MESH), List.of(), List.of("00".repeat(32)), List.of()),
                MESH.certify(ORDERS), "pinned");
    }

    /** An impostor who is a client of this mesh, too: the certificate of a leaf is none of an authority. */
    @Test
    void aWorkloadCannotCertifyAnother() {
        refuses(trusting(authorities(OTHER)), MESH.certify(ORDERS), "unable to find valid certification path");
    }

    @Test
    void eachTrustDomainHasAuthoritiesOfItsOwn() throws Exception {
        CertificateValidation federated = trusting(new CertificateValidation.TrustDomains(Map.of(
                "mesh", List.of(MESH.certificate()), "other", List.of(OTHER.certificate()))));
        call(client(federated), peer(MESH.certify("spiffe://MESH/orders")).address());
        call(client(federated), peer(OTHER.certify("spiffe://other/orders")).address());
        call(client(federated), peer(MESH.certify(ORDERS, "spiffe://mesh/also", "kuma://version/v1")).address());

        refuses(federated, OTHER.certify(ORDERS), "unable to find valid certification path");
        refuses(federated, MESH.certify("spiffe://elsewhere/orders"), "no authority is trusted");
        refuses(federated, MESH.certify(ORDERS, "spiffe://other/orders"), "two trust domains");
        refuses(federated, MESH.certify("https://mesh/orders"), "no SPIFFE ID");
        refuses(federated, MESH.certify(), "no SPIFFE ID");
    }

    @Test
    void hostNamesMayHaveAWildcardInTheCertificate() throws Exception {
        Certified wildcard = MESH.certify(Duration.ofHours(-1), dns("*.shop.local"));
        call(client(trusting(authorities(MESH), named(SubjectAltName.Kind.DNS, "Orders.shop.local"))), peer(wildcard).address());
        refuses(trusting(authorities(MESH), named(SubjectAltName.Kind.DNS, "a.b.shop.local")), wildcard, "none of the peer's names");
        refuses(trusting(authorities(MESH), named(SubjectAltName.Kind.DNS, ".shop.local")), wildcard, "none of the peer's names");
    }

    @Test
    void aSessionIsResumedUntilSomethingChanges() throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS));
        ClientTls client = client(ORDERS_OF_THE_MESH);
        long first = call(client, orders.address()).getCreationTime();
        Thread.sleep(5);
        assertThat(call(client, orders.address()).getCreationTime()).isEqualTo(first);

        assertThat(client(ORDERS_OF_THE_MESH)).isSameAs(client);
        ClientTls stricter = client(trusting(authorities(MESH), named(SubjectAltName.Kind.URI, "spiffe://mesh/users")));
        assertThat(stricter).isNotSameAs(client);
        assertThatThrownBy(() -> call(stricter, orders.address())).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void theVersionIsAsPolicySays(Version version) throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS));
        ClientTls client =
                tls.client(socket(version, version, List.of(), ORDERS_OF_THE_MESH, ""), Map.of()).orElseThrow();
        assertThat(call(client, orders.address()).getProtocol()).isEqualTo(version == Version.TLS_1_2 ? "TLSv1.2" : "TLSv1.3");
    }

    @Test
    void soIsTheCipherSuite() throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS));
        UpstreamTls socket = socket(Version.TLS_1_2, Version.TLS_1_2,
                List.of("[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-ECDSA-AES256-GCM-SHA384]"), ORDERS_OF_THE_MESH, "");
        assertThat(call(tls.client(socket, Map.of()).orElseThrow(), orders.address()).getCipherSuite())
                .isEqualTo("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
        assertThat(CipherSuites.jsse(List.of("AES128-SHA", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-SHA384")))
                .containsExactlyInAnyOrder("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384");
    }

    @Test
    void alpnIsOfferedWithoutWhatNobodyHereSpeaks() throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS), "h2", "kuma");
        ClientTls client = tls.client(socket(ORDERS_OF_THE_MESH, "", "h2", "kuma"), Map.of()).orElseThrow();
        Socket connected = new Socket(orders.address().getAddress(), orders.address().getPort());
        try (SSLSocket socket = client.layer(connected, orders.address(), HANDSHAKE_NANOS)) {
            assertThat(socket.getApplicationProtocol()).isEqualTo("kuma");
        }
        assertThat(client.engine(orders.address()).getSSLParameters().getApplicationProtocols()).containsExactly("kuma");
    }

    @Test
    void whereHttp2IsSpokenItIsOffered() {
        InetSocketAddress peer = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        ClientTls client = tls.client(socket(ORDERS_OF_THE_MESH, "", "h2", "other"), Map.of()).orElseThrow();
        assertThat(client.http2Engine(peer).getSSLParameters().getApplicationProtocols()).containsExactly("h2", "other");
        assertThat(client(ORDERS_OF_THE_MESH).http2Engine(peer).getSSLParameters().getApplicationProtocols()).containsExactly("h2");
    }

    @Test
    void toIstioItIsSaidWhatIsSpoken() {
        InetSocketAddress peer = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
        ClientTls client = tls.client(socket(ORDERS_OF_THE_MESH, "", "istio-peer-exchange", "istio"), Map.of()).orElseThrow();
        assertThat(client.engine(peer).getSSLParameters().getApplicationProtocols())
                .containsExactly("istio-http/1.1", "istio", "http/1.1");
        assertThat(client.http2Engine(peer).getSSLParameters().getApplicationProtocols()).containsExactly("istio-h2", "istio", "h2");
    }

    @Test
    void aHandshakeThatTakesTooLongIsATimeoutAndItsSocketIsClosed() throws Exception {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        resources.add(server);
        InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
        Socket connected = new Socket(address.getAddress(), address.getPort());

        assertThatThrownBy(() -> client(ORDERS_OF_THE_MESH).layer(connected, address, TimeUnit.MILLISECONDS.toNanos(50)))
                .isInstanceOf(SocketTimeoutException.class);
        assertThat(connected.isClosed()).isTrue();
    }

    @Test
    @Timeout(60)
    void aHandshakeThatComesBitByBitHasNoMoreTime() throws Exception {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        resources.add(server);
        Thread thread = new Thread(() -> TlsPeer.serve(server, socket -> {
            // the head of a long record, and then zeros
            socket.getOutputStream().write(new byte[] {22, 3, 3, 0x40, 0});
            for (int i = 0; i < 500; i++) {
                socket.getOutputStream().write(0);
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }));
        thread.setDaemon(true);
        thread.start();
        InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
        Socket connected = new Socket(address.getAddress(), address.getPort());

        assertThatThrownBy(() -> client(ORDERS_OF_THE_MESH).layer(connected, address, TimeUnit.MILLISECONDS.toNanos(300)))
                .isInstanceOf(SocketTimeoutException.class);
        assertThat(connected.isClosed()).isTrue();
    }

    @Test
    void afterTheHandshakeASocketWaitsAsLongAsBefore() throws Exception {
        TlsPeer orders = peer(MESH.certify(ORDERS));
        for (long limit : new long[] {HANDSHAKE_NANOS, ClientTls.UNLIMITED}) {
            Socket connected = new Socket(orders.address().getAddress(), orders.address().getPort());
            connected.setSoTimeout(50);
            try (SSLSocket socket = client(ORDERS_OF_THE_MESH).layer(connected, orders.address(), limit)) {
                assertThat(connected.getSoTimeout()).isEqualTo(50);
                assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
                assertThat(connected.getSoTimeout()).isEqualTo(50);
            }
            assertThat(connected.isClosed()).isTrue();
        }
    }

    /** What is layered over a socket has its options, ends and addresses from there. */
    @Test
    void whatLimitsAHandshakeIsInAllElseTheSocketBelow() {
        assertThat(HandshakeSocket.class.getDeclaredMethods())
                .extracting(method -> method.getName() + Arrays.toString(method.getParameterTypes()))
                .containsAll(Arrays.stream(Socket.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers()))
                        .map(method -> method.getName() + Arrays.toString(method.getParameterTypes()))
                        .toList());
    }

    @Test
    void sniGoesOverTheWireAsItIsAndIsNotMadeUp() throws Exception {
        BlockingQueue<byte[]> hellos = new LinkedBlockingQueue<>();
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        resources.add(server);
        Thread thread = new Thread(() -> TlsPeer.serve(server, socket -> hellos.add(socket.getInputStream().readNBytes(400))));
        thread.setDaemon(true);
        thread.start();
        InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();

        for (String sni : List.of("outbound_.80_._.orders.shop.svc.cluster.local", "backend{mesh=default}", "")) {
            ClientTls client = tls.client(socket(ORDERS_OF_THE_MESH, sni), Map.of()).orElseThrow();
            assertThatThrownBy(() -> call(client, address)).isInstanceOf(IOException.class);
            byte[] bytes = hellos.poll(5, TimeUnit.SECONDS);
            String hello = new String(bytes, StandardCharsets.ISO_8859_1);
            assertThat(bytes[0]).isEqualTo((byte) 22);
            assertThat(hello).contains(sni).doesNotContain("localhost").doesNotContain("127.0.0.1");
        }
    }

    @Test
    void aPeerThatDoesNotSpeakTlsIsAFailureAndItsSocketIsClosed() throws Exception {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        resources.add(server);
        Thread thread = new Thread(() -> TlsPeer.serve(server, socket -> {
            socket.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        }));
        thread.setDaemon(true);
        thread.start();
        InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
        Socket connected = new Socket(address.getAddress(), address.getPort());

        assertThatThrownBy(() -> client(ORDERS_OF_THE_MESH).layer(connected, address, HANDSHAKE_NANOS)).isInstanceOf(IOException.class);
        assertThat(connected.isClosed()).isTrue();
    }

    @Test
    void withoutItsSecretsThereIsNoTls() {
        UpstreamTls socket = new UpstreamTls(
                new TlsContext(
                        new TlsContext.Parameters(Version.TLS_1_2, Version.TLS_1_3, List.of()),
                        List.of(),
                        Optional.of(new TlsContext.NamedCertificate("identity")),
                        new TlsContext.NamedValidation(
                                "roots", trusting(new CertificateValidation.Unspecified(), named(SubjectAltName.Kind.URI, ORDERS)))),
                "");
        Secret identity = new Secret("identity", new Secret.Identity(of(SHOP)));
        Secret roots = new Secret("roots", new Secret.Validation(trusting(authorities(MESH))));

        assertThat(tls.client(socket, Map.of())).isEmpty();
        assertThat(tls.client(socket, Map.of("identity", identity))).isEmpty();
        assertThat(tls.client(socket, Map.of("roots", roots))).isEmpty();
        assertThat(tls.client(socket, Map.of("identity", roots, "roots", roots))).isEmpty();
        Optional<ClientTls> complete = tls.client(socket, Map.of("identity", identity, "roots", roots));
        assertThat(complete).isPresent();
        assertThat(tls.client(socket, Map.of("identity", identity, "roots", roots))).isEqualTo(complete);

        Secret renewed = new Secret("identity", new Secret.Identity(of(MESH.certify("spiffe://mesh/shop"))));
        assertThat(tls.client(socket, Map.of("identity", renewed, "roots", roots))).isPresent().isNotEqualTo(complete);
    }

    @Test
    void whatPolicyHasTakenBackOnceBeginsAnew() {
        ClientTls before = client(ORDERS_OF_THE_MESH);
        before.connections().retire();
        ClientTls after = client(ORDERS_OF_THE_MESH);
        assertThat(after).isNotSameAs(before).isSameAs(client(ORDERS_OF_THE_MESH));
        assertThat(after.connections().retired()).isFalse();
    }
}
