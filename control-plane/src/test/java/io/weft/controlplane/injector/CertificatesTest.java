package io.weft.controlplane.injector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Secret;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.weft.controlplane.ca.Pem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CertificatesTest {

    private static final Instant START = Instant.parse("2026-11-26T12:00:00Z");

    private final SharedCluster cluster = new SharedCluster();
    private final SettableClock clock = new SettableClock();

    private static final class SettableClock extends Clock {
        private volatile Instant now = START;
        private int left;
        private Runnable meanwhile;

        void advance(Duration step) {
            now = now.plus(step);
        }

        /** Somebody else does something when it is asked for the time again so many times. */
        void when(int asked, Runnable meanwhile) {
            left = asked;
            this.meanwhile = meanwhile;
        }

        @Override
        public Instant instant() {
            if (left > 0 && --left == 0) {
                meanwhile.run();
            }
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    private Certificates replica() {
        return new Certificates(SharedCluster.CERTIFICATES, cluster.replica(), clock);
    }

    private X509Certificate controlPlane() throws IOException {
        return Pem.certificates(cluster.decoded("weft-control-plane-tls", "tls.crt")).get(0);
    }

    @Test
    void theFirstReplicaMakesEverything() throws Exception {
        Certificates replica = replica();
        assertThat(replica.own()).isEmpty();
        replica.renew();
        assertThat(replica.own()).isPresent();
        assertThat(cluster.caBundles()).hasSize(2).containsOnly(replica.bundle().orElseThrow());

        X509Certificate root = Pem.certificates(cluster.caBundles().get(0)).get(0);
        X509Certificate controlPlane = controlPlane();
        controlPlane.verify(root.getPublicKey());
        assertThat(controlPlane.getSubjectAlternativeNames()).singleElement().asList().containsExactly(2, "weft-control-plane.weft-system.svc");
        assertThat(Pem.key(cluster.decoded("weft-control-plane-tls", "tls.key"), "EC")).isNotNull();
        assertThat(cluster.decoded("weft-control-plane-tls", "ca.crt")).isEqualTo(cluster.caBundles().get(0));
    }

    @Test
    void whatIsInOrderIsNotWrittenAgain() throws IOException {
        replica().renew();
        Secret roots = cluster.secret("weft-server-ca");
        Secret controlPlane = cluster.secret("weft-control-plane-tls");
        String webhooks = cluster.webhooks().getMetadata().getResourceVersion();
        Certificates another = replica();
        another.renew();
        clock.advance(Duration.ofDays(1));
        another.renew();
        assertThat(cluster.secret("weft-server-ca")).isEqualTo(roots);
        assertThat(cluster.secret("weft-control-plane-tls")).isEqualTo(controlPlane);
        assertThat(cluster.webhooks().getMetadata().getResourceVersion()).isEqualTo(webhooks);
    }

    @Test
    void replicasThatStartTogetherAgree() throws Exception {
        List<Certificates> replicas = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            replicas.add(replica());
        }
        ExecutorService threads = Executors.newFixedThreadPool(replicas.size());
        try {
            List<Callable<Void>> starts = new ArrayList<>();
            for (Certificates replica : replicas) {
                starts.add(() -> {
                    replica.renew();
                    return null;
                });
            }
            for (Future<Void> started : threads.invokeAll(starts)) {
                started.get();
            }
        } finally {
            threads.shutdownNow();
        }
        Set<String> bundles = new HashSet<>(cluster.caBundles());
        replicas.forEach(replica -> bundles.add(replica.bundle().orElseThrow()));
        assertThat(bundles).hasSize(1);
        controlPlane().verify(Pem.certificates(bundles.iterator().next()).get(0).getPublicKey());
    }

    @Test
    void certificatesAreRenewedWellBeforeTheyEnd() throws IOException {
        Certificates replica = replica();
        replica.renew();
        Object own = replica.own().orElseThrow();
        X509Certificate controlPlane = controlPlane();
        clock.advance(Duration.ofDays(3));
        replica.renew();
        assertThat(replica.own().orElseThrow()).isSameAs(own);
        clock.advance(Duration.ofDays(1));
        replica.renew();
        assertThat(replica.own().orElseThrow()).isNotSameAs(own);
        assertThat(controlPlane()).isEqualTo(controlPlane);
        clock.advance(Duration.ofDays(12));
        replica.renew();
        assertThat(controlPlane().getNotAfter()).isAfter(controlPlane.getNotAfter());
    }

    @Test
    void aNewRootIsTrustedLongBeforeItSigns() throws Exception {
        Certificates replica = replica();
        replica.renew();
        X509Certificate first = Pem.certificates(cluster.caBundles().get(0)).get(0);
        clock.advance(Duration.ofDays(2_740));
        replica.renew();
        List<X509Certificate> overlap = Pem.certificates(cluster.caBundles().get(1));
        assertThat(overlap).hasSize(2).startsWith(first);
        controlPlane().verify(first.getPublicKey());
        assertThat(replica.bundle()).hasValue(cluster.caBundles().get(0));
        clock.advance(Duration.ofDays(401));
        replica.renew();
        controlPlane().verify(overlap.get(1).getPublicKey());
        assertThat(Pem.certificates(cluster.caBundles().get(0))).containsExactlyInAnyOrderElementsOf(overlap);
        clock.advance(Duration.ofDays(401));
        replica.renew();
        assertThat(Pem.certificates(cluster.caBundles().get(0))).containsExactly(overlap.get(1));
    }

    /** As when the Secret is lost, or its key is to be used no more. */
    @Test
    void theApiServerBelievesAllReplicasWhileTheRootIsReplacedAtOnce() throws Exception {
        List<Certificates> replicas = List.of(replica(), replica(), replica());
        for (Certificates replica : replicas) {
            replica.renew();
        }
        X509Certificate former = Pem.certificates(cluster.caBundles().get(0)).get(0);
        Secret roots = cluster.secret("weft-server-ca");
        roots.setData(Map.of());
        cluster.operator().resource(roots).update();
        // Each once in a minute, one of them at the end of it.
        for (int minute = 0; minute < 6; minute++) {
            for (Certificates replica : replicas) {
                replica.renew();
                assertThat(replicas).as("minute " + minute).allMatch(this::isBelieved);
                clock.advance(Duration.ofSeconds(20));
            }
        }
        assertThat(cluster.caBundles()).allSatisfy(bundle -> assertThat(Pem.certificates(bundle)).hasSize(1).doesNotContain(former));
    }

    @Test
    void aReplicaShowsACertificateOfANewRootOnceTheApiServerHasHadTimeToHearOfIt() throws Exception {
        Certificates replica = replica();
        replica.renew();
        Object own = replica.own().orElseThrow();
        Secret roots = cluster.secret("weft-server-ca");
        roots.setData(Map.of());
        cluster.operator().resource(roots).update();
        replica.renew();
        assertThat(Pem.certificates(cluster.caBundles().get(0))).hasSize(2);
        assertThat(replica.own()).containsSame((SslContext) own);
        clock.advance(Duration.ofMinutes(1));
        replica.renew();
        assertThat(replica.own().orElseThrow()).isNotSameAs(own);
    }

    @Test
    void aReplicaRenewsItsCertificateThoughTheApiServerCannotBeTold() throws Exception {
        Certificates replica = replica();
        replica.renew();
        SslContext own = replica.own().orElseThrow();
        cluster.operator().admissionRegistration().v1().mutatingWebhookConfigurations().delete();
        clock.advance(Duration.ofDays(4));
        assertThatThrownBy(replica::renew).isInstanceOf(IOException.class);
        assertThat(replica.own().orElseThrow()).isNotSameAs(own);
    }

    /** Each of them may come when the API server was told a moment ago, after the other or at once with it. */
    @Test
    void noReplicaShowsACertificateOfANewRootInTheRoundInWhichTheApiServerIsTold() throws Exception {
        List<Certificates> replicas = List.of(replica(), replica(), replica());
        List<SslContext> own = new ArrayList<>();
        for (Certificates replica : replicas) {
            replica.renew();
            own.add(replica.own().orElseThrow());
        }
        Secret roots = cluster.secret("weft-server-ca");
        roots.setData(Map.of());
        cluster.operator().resource(roots).update();
        // The first has read the webhooks then, and not changed them yet.
        clock.when(2, () -> renew(replicas.get(1)));
        replicas.get(0).renew();
        replicas.get(2).renew();
        assertThat(Pem.certificates(cluster.caBundles().get(0))).hasSize(2);
        assertThat(replicas).extracting(replica -> replica.own().orElseThrow()).containsExactlyElementsOf(own);
    }

    private static void renew(Certificates replica) {
        try {
            replica.renew();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isBelieved(Certificates replica) {
        try {
            X509Certificate shown = shown(replica);
            return Pem.certificates(cluster.caBundles().get(0)).stream().anyMatch(root -> signed(root, shown));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean signed(X509Certificate root, X509Certificate leaf) {
        try {
            leaf.verify(root.getPublicKey());
            return true;
        } catch (GeneralSecurityException other) {
            return false;
        }
    }

    /** In a handshake. */
    private static X509Certificate shown(Certificates replica) throws GeneralSecurityException, IOException {
        AtomicReference<X509Certificate> shown = new AtomicReference<>();
        SSLContext everybody = SSLContext.getInstance("TLS");
        everybody.init(null, new TrustManager[] {new X509ExtendedTrustManager() {
            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
                shown.set(chain[0]);
            }

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
                throw new AssertionError("not asked");
            }

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {
                throw new AssertionError("not asked");
            }

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
                throw new AssertionError("not asked");
            }

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {
                throw new AssertionError("not asked");
            }

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {
                throw new AssertionError("not asked");
            }

            @Override
            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        }}, null);
        SSLEngine caller = everybody.createSSLEngine();
        caller.setUseClientMode(true);
        SSLEngine answering = replica.own().orElseThrow().newEngine(UnpooledByteBufAllocator.DEFAULT);
        ByteBuffer there = ByteBuffer.allocate(1 << 16);
        ByteBuffer back = ByteBuffer.allocate(1 << 16);
        for (int i = 0; i < 20 && shown.get() == null; i++) {
            step(caller, back, there);
            step(answering, there, back);
        }
        assertThat(shown.get()).as("the certificate").isNotNull();
        return shown.get();
    }

    private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        in.flip();
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_UNWRAP) {
            engine.unwrap(in, ByteBuffer.allocate(1 << 16));
        }
        in.compact();
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
        if (engine.getHandshakeStatus() != HandshakeStatus.NEED_UNWRAP) {
            engine.wrap(ByteBuffer.allocate(0), out);
        }
    }

    @Test
    void whatSomebodyElseHasChangedIsPutRight() throws IOException {
        Certificates replica = replica();
        replica.renew();
        String bundle = cluster.caBundles().get(0);
        var changed = cluster.webhooks();
        changed.getWebhooks().get(1).getClientConfig().setCaBundle("bm9uc2Vuc2U=");
        cluster.operator().resource(changed).update();
        replica.renew();
        assertThat(cluster.caBundles()).containsOnly(bundle);
    }

    @Test
    void whatCannotBeUsedIsNamedAndNotReplaced() {
        Secret broken = cluster.secret("weft-server-ca");
        broken.setData(Map.of("roots.json", "c2VjcmV0"));
        cluster.operator().resource(broken).update();
        assertThatThrownBy(() -> replica().renew()).isInstanceOf(IOException.class)
                .hasMessage("secret weft-server-ca, key roots.json: not valid JSON, line 1");
        assertThat(cluster.decoded("weft-server-ca", "roots.json")).isEqualTo("secret");
    }

    @Test
    void whatTheChartMakesIsMissed() {
        cluster.operator().secrets().inNamespace(SharedCluster.NAMESPACE).withName("weft-server-ca").delete();
        assertThatThrownBy(() -> replica().renew()).isInstanceOf(IOException.class)
                .hasMessage("secret weft-system/weft-server-ca is not there; the Helm chart makes it");
    }
}
