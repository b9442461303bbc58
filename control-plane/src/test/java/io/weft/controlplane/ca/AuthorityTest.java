package io.weft.controlplane.ca;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.controlplane.ca.CertificateRequest.UnusableRequestException;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Certificates that are made here, against the JDK's own TLS. */
class AuthorityTest {

    private static final Instant NOW = Instant.now();
    private static final Duration DAY = Duration.ofDays(1);
    private static final String ORDERS = "spiffe://default.default.mesh.local/workload/orders";

    private final Root root = Root.generate("default", NOW);

    private static Authority authority(RootSet roots, Instant now) {
        return new Authority(roots, Clock.fixed(now, ZoneOffset.UTC));
    }

    @ParameterizedTest
    @CsvSource({"EC,256", "EC,384", "RSA,2048", "Ed25519,0"})
    void aLeafForARequestedKeyIsGoodForBothSidesOfAHandshake(String algorithm, int bits) throws Exception {
        KeyPair pair = pair(algorithm, bits);
        CertificateRequest request = CertificateRequest.parse(csr(pair, pair));
        Leaf leaf = authority(RootSet.of(root), NOW).issue(request.key(), List.of(ORDERS), DAY);

        handshake(leaf, pair.getPrivate(), RootSet.of(root).bundle());
    }

    @Test
    void aLeafSaysWhoAndUntilWhen() throws Exception {
        X509Certificate leaf = authority(RootSet.of(root), NOW)
                .issue(Root.newKey().getPublic(), List.of(ORDERS), Duration.ofMinutes(5)).certificate();

        assertThat(leaf.getSubjectAlternativeNames()).containsExactly(List.of(6, ORDERS));
        assertThat(leaf.getNotAfter().toInstant()).isBetween(NOW.plusSeconds(299), NOW.plusSeconds(300));
        assertThat(leaf.getNotBefore().toInstant()).isBefore(NOW.minusSeconds(30));
        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
        assertThat(leaf.getKeyUsage()[0]).isTrue();
        assertThat(leaf.getKeyUsage()[5]).as("may sign certificates").isFalse();
        assertThat(leaf.getExtendedKeyUsage()).containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        leaf.verify(root.certificate().getPublicKey());
    }

    @Test
    void aRootSignsNothingOutsideItsTime() {
        Instant end = root.certificate().getNotAfter().toInstant();
        assertThatThrownBy(() -> authority(RootSet.of(root), end).issue(Root.newKey().getPublic(), List.of(ORDERS), DAY))
                .isInstanceOf(UnusableRootException.class)
                .hasMessageContaining("has expired on " + end + "; replace it");
        Instant early = root.certificate().getNotBefore().toInstant().minusSeconds(1);
        assertThatThrownBy(() -> authority(RootSet.of(root), early).issue(Root.newKey().getPublic(), List.of(ORDERS), DAY))
                .isInstanceOf(UnusableRootException.class)
                .hasMessageContaining("set this machine's clock");
    }

    @Test
    void noLeafOutlivesItsRoot() throws Exception {
        Instant late = root.certificate().getNotAfter().toInstant().minusSeconds(60);
        X509Certificate leaf =
                authority(RootSet.of(root), late).issue(Root.newKey().getPublic(), List.of(ORDERS), DAY).certificate();
        assertThat(leaf.getNotAfter()).isEqualTo(root.certificate().getNotAfter());
    }

    @Test
    void aRequestNeedsAStrongKeyThatItsSenderHas() throws Exception {
        KeyPair own = Root.newKey();
        String foreign = csr(own, Root.newKey());
        String weak = csr(pair("RSA", 1024), pair("RSA", 1024));
        assertThatThrownBy(() -> CertificateRequest.parse(foreign))
                .isInstanceOf(UnusableRequestException.class).hasMessageContaining("not signed by its own key");
        assertThatThrownBy(() -> CertificateRequest.parse(weak))
                .isInstanceOf(UnusableRequestException.class).hasMessageContaining("2048 to 4096 bits, not 1024");
        for (String nonsense : List.of("", "CERTIFICATE", Pem.of(root.certificate()), "x".repeat(20_000))) {
            assertThatThrownBy(() -> CertificateRequest.parse(nonsense)).isInstanceOf(UnusableRequestException.class);
        }
    }

    /** At each moment of a rotation, whoever has a leaf and a bundle of that moment or of the one before is understood. */
    @Test
    void aRotationNeverLeavesTwoWhoDoNotTrustEachOther() throws Exception {
        Duration lifetime = Duration.ofHours(1);
        RootSet before = RootSet.of(root);
        RootSet introduced = before.rotate(Root.generate("default", NOW), NOW, lifetime);
        RootSet switched = introduced.at(NOW.plus(lifetime), lifetime);
        RootSet done = switched.at(NOW.plus(lifetime.multipliedBy(3)), lifetime);

        assertThat(introduced.bundle()).hasSize(2);
        assertThat(introduced.signing()).isEqualTo(root);
        assertThat(introduced.at(NOW.plus(lifetime).minusMillis(1), lifetime)).isSameAs(introduced);
        assertThat(switched.signing()).isNotEqualTo(root);
        assertThat(switched.bundle()).hasSize(2);
        assertThat(done.bundle()).containsExactly(switched.signing().certificate());
        assertThat(switched.former().get(0).trustedUntil()).isAfter(NOW.plus(lifetime).plus(lifetime));

        List<RootSet> phases = List.of(before, introduced, switched, done);
        for (int i = 1; i < phases.size(); i++) {
            KeyPair pair = Root.newKey();
            Leaf earlier = authority(phases.get(i - 1), NOW).issue(pair.getPublic(), List.of(ORDERS), DAY);
            Leaf later = authority(phases.get(i), NOW).issue(pair.getPublic(), List.of(ORDERS), DAY);
            handshake(later, pair.getPrivate(), phases.get(i - 1).bundle());
            handshake(earlier, pair.getPrivate(), phases.get(i).bundle());
        }
        KeyPair pair = Root.newKey();
        Leaf old = authority(before, NOW).issue(pair.getPublic(), List.of(ORDERS), DAY);
        assertThatThrownBy(() -> handshake(old, pair.getPrivate(), done.bundle())).isInstanceOf(Exception.class);
    }

    private static KeyPair pair(String algorithm, int bits) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        if (bits > 0) {
            generator.initialize(bits);
        }
        return generator.generateKeyPair();
    }

    private static String csr(KeyPair named, KeyPair signing) throws Exception {
        PKCS10CertificationRequest request = new JcaPKCS10CertificationRequestBuilder(new X500Principal("CN=anyone"), named.getPublic())
                .build(new JcaContentSignerBuilder(CertificateBuilder.signatureAlgorithm(signing.getPrivate())).build(signing.getPrivate()));
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(request);
        }
        return text.toString();
    }

    /** Both sides show the leaf and trust the bundle. */
    private static void handshake(Leaf leaf, PrivateKey key, List<X509Certificate> bundle) throws Exception {
        SSLContext context = context(leaf, key, bundle);
        try (SSLServerSocket server = (SSLServerSocket)
                context.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            server.setNeedClientAuth(true);
            CompletableFuture<Void> served = CompletableFuture.runAsync(() -> {
                try (SSLSocket socket = (SSLSocket) server.accept()) {
                    socket.setSoTimeout(10_000);
                    socket.getOutputStream().write(socket.getInputStream().read());
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            try (SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket(server.getInetAddress(), server.getLocalPort())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(42);
                assertThat(socket.getInputStream().read()).isEqualTo(42);
            }
            served.join();
        }
    }

    private static SSLContext context(Leaf leaf, PrivateKey key, List<X509Certificate> bundle) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", key, new char[0], leaf.chain().toArray(Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (X509Certificate authority : bundle) {
            trusted.setCertificateEntry(authority.getSerialNumber().toString(), authority);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
