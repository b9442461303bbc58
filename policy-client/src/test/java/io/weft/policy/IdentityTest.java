package io.weft.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.weft.policy.ScriptedControlPlane.Call;
import io.weft.policy.ScriptedControlPlane.Script;
import io.weft.policy.ScriptedControlPlane.StreamScript;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.identity.IstioCertificates;
import io.weft.policy.identity.KeyType;
import io.weft.policy.identity.TestAuthority;
import io.weft.policy.identity.WorkloadApi;
import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.Authorities;
import io.weft.policy.model.CertificateValidation.TrustDomains;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.TransportSocket;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.xds.Environment;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The identity that a process gets for itself, over real sockets. */
class IdentityTest {

    private final TestAuthority authority = new TestAuthority("root");
    private final ServedPolicy policy = ServedPolicy.of("orders", 1001);
    private static final TestAuthority OTHER_DOMAIN = new TestAuthority("other");
    private final List<Call> workloads = new CopyOnWriteArrayList<>();
    private volatile byte[] svid;
    private final List<PublicKey> requested = new CopyOnWriteArrayList<>();
    private volatile Duration lifetime = Duration.ofHours(1);
    /** Whoever asks for a certificate. */
    private volatile boolean refuses;

    /** Policies, and certificates for whoever asks. */
    private Script script() {
        return ScriptedControlPlane.http2(() -> new StreamScript() {
            private StreamScript target;

            @Override
            public void headers(Call call, Http2Headers headers) {
                target = switch (headers.path().toString()) {
                    case IstioCertificates.PATH -> new Issuer();
                    case WorkloadApi.PATH -> new WorkloadEndpoint();
                    default -> policy.new Stream();
                };
                target.headers(call, headers);
            }

            @Override
            public void message(Call call, byte[] message) {
                target.message(call, message);
            }

            @Override
            public void halfClosed() {
                target.halfClosed();
            }
        });
    }

    private final class Issuer implements StreamScript {
        private Call call;
        private byte[] answer;

        @Override
        public void headers(Call call, Http2Headers headers) {
            this.call = call;
            if (refuses) {
                call.trailersOnly(16, "no token came");
            }
        }

        @Override
        public void message(Call call, byte[] message) {
            try {
                CodedInputStream input = CodedInputStream.newInstance(message);
                input.readTag();
                PublicKey key = TestAuthority.requested(input.readString());
                requested.add(key);
                answer = answer(TestAuthority.pem(authority.issue(key, lifetime)), TestAuthority.pem(authority.root));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** As gRPC servers do, it answers a call once the caller has said all. */
        @Override
        public void halfClosed() {
            if (answer != null) {
                call.respond();
                call.message(answer);
                call.headers(new DefaultHttp2Headers().add("grpc-status", "0"), true);
            }
        }
    }

    /** The SPIFFE Workload API: {@link #svid} now, and whatever is pushed later. */
    private final class WorkloadEndpoint implements StreamScript {
        @Override
        public void headers(Call call, Http2Headers headers) {
            if (!"true".contentEquals(headers.get("workload.spiffe.io", ""))) {
                call.trailersOnly(3, "security header missing from request");
            } else if (refuses) {
                call.trailersOnly(7, "no identity issued");
            } else {
                call.respond();
                call.message(svid);
                workloads.add(call);
            }
        }
    }

    private KeyPair issued() throws IOException {
        KeyPair pair = KeyType.EC_P256.generate();
        svid = svid(pair, authority.issue(pair.getPublic(), lifetime), authority.root);
        return pair;
    }

    private static byte[] svid(KeyPair pair, X509Certificate leaf, X509Certificate root) throws IOException {
        try {
            ByteArrayOutputStream inner = new ByteArrayOutputStream();
            CodedOutputStream svid = CodedOutputStream.newInstance(inner);
            svid.writeString(1, TestAuthority.ORDERS);
            svid.writeByteArray(2, leaf.getEncoded());
            svid.writeByteArray(3, pair.getPrivate().getEncoded());
            svid.writeByteArray(4, root.getEncoded());
            svid.flush();
            ByteArrayOutputStream entry = new ByteArrayOutputStream();
            CodedOutputStream federated = CodedOutputStream.newInstance(entry);
            federated.writeString(1, "spiffe://other.example");
            federated.writeByteArray(2, OTHER_DOMAIN.root.getEncoded());
            federated.flush();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream response = CodedOutputStream.newInstance(bytes);
            response.writeByteArray(1, inner.toByteArray());
            response.writeByteArray(3, entry.toByteArray());
            response.flush();
            return bytes.toByteArray();
        } catch (CertificateEncodingException e) {
            throw new IOException(e);
        }
    }

    private static byte[] answer(String... chain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream output = CodedOutputStream.newInstance(bytes);
        for (String certificate : chain) {
            output.writeString(1, certificate);
        }
        output.flush();
        return bytes.toByteArray();
    }

    private static Cluster secured() {
        return secured("orders", "default", "default");
    }

    /** @param certificate,roots the names of providers */
    private static Cluster secured(String name, String certificate, String roots) {
        UpstreamTlsContext tls = UpstreamTlsContext.newBuilder()
                .setCommonTlsContext(CommonTlsContext.newBuilder()
                        .setTlsCertificateProviderInstance(
                                CertificateProviderPluginInstance.newBuilder().setInstanceName(certificate))
                        .setValidationContext(CertificateValidationContext.newBuilder().setCaCertificateProviderInstance(
                                CertificateProviderPluginInstance.newBuilder().setInstanceName(roots))))
                .build();
        return Resources.cluster(name).toBuilder()
                .setTransportSocket(TransportSocket.newBuilder()
                        .setName("envoy.transport_sockets.tls")
                        .setTypedConfig(Any.newBuilder()
                                .setTypeUrl("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext")
                                .setValue(tls.toByteString())))
                .build();
    }

    private static PolicyClientConfig config(ScriptedControlPlane controlPlane, IdentityConfig identity) {
        PolicyClientConfig plain = ClientUnderTest.config(controlPlane.uri());
        return new PolicyClientConfig(
                plain.controlPlane(), plain.dialect(), plain.caFile(), plain.tokenFile(), plain.clientCertificate(), plain.cache(), identity,
                plain.initialBackoff(), plain.maxBackoff());
    }

    private static Optional<TlsCertificate> own(PolicySnapshot snapshot) {
        return Optional.ofNullable(snapshot.secrets().get(Secret.OWN_IDENTITY))
                .map(secret -> ((Secret.Identity) secret.content()).certificate());
    }

    private static TlsCertificate awaitOwn(ClientUnderTest under) {
        return own(under.awaitSnapshot(snapshot -> own(snapshot).isPresent())).orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void aCertificateIsAskedForWithAKeyThatStays(KeyType type) {
        policy.put(secured());
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, new IdentityConfig(type, new IdentityConfig.Requested())))) {
            TlsCertificate own = awaitOwn(under);
            assertThat(own.leaf().getPublicKey()).isEqualTo(requested.get(0));
            Secret.Validation trusted =
                    (Secret.Validation) under.client.snapshot().secrets().get(Secret.OWN_AUTHORITIES).content();
            assertThat(trusted.validation().trust()).isEqualTo(new Authorities(List.of(authority.root)));
        }
    }

    /** A policy without it would have nobody to be called. */
    @Test
    void theFirstPolicyComesWithIt() {
        policy.put(secured());
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            assertThat(under.snapshots).allSatisfy(snapshot -> assertThat(own(snapshot)).isPresent());
        }
    }

    @Test
    void theFirstPolicyDoesNotWaitForLong() {
        policy.put(secured());
        refuses = true;
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            assertThat(own(under.client.snapshot())).isEmpty();
            refuses = false;
            awaitOwn(under);
        }
    }

    /** The control plane is there, but its policy is slow. */
    @Test
    void soDoesAPolicyFromDisk(@TempDir Path disk) {
        policy.put(secured());
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script())) {
            try (ClientUnderTest before = new ClientUnderTest(cached(controlPlane, disk))) {
                awaitOwn(before);
            }
            policy.withhold(ResourceType.LISTENER);
            try (ClientUnderTest under = new ClientUnderTest(cached(controlPlane, disk), patient(Duration.ofHours(1)))) {
                under.awaitCluster("orders");
                assertThat(under.snapshots).singleElement().satisfies(snapshot -> {
                    assertThat(own(snapshot)).isPresent();
                    assertThat(snapshot.generation()).isZero();
                });
                policy.release(ResourceType.LISTENER);
                under.awaitSnapshot(snapshot -> snapshot.generation() > 0);
            }
        }
    }

    @Test
    void butNotForLong(@TempDir Path disk) {
        policy.put(secured());
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script())) {
            try (ClientUnderTest before = new ClientUnderTest(cached(controlPlane, disk))) {
                awaitOwn(before);
            }
            policy.withhold(ResourceType.LISTENER);
            refuses = true;
            try (ClientUnderTest under = new ClientUnderTest(cached(controlPlane, disk), patient(Duration.ofMillis(300)))) {
                under.awaitCluster("orders");
                assertThat(own(under.client.snapshot())).isEmpty();
                refuses = false;
                awaitOwn(under);
                assertThat(under.client.snapshot().generation()).isZero();
            }
        }
    }

    /** Whose first policy of a control plane that does not say all would be long in coming. */
    private static Environment patient(Duration laterWait) {
        Environment hurried = ClientUnderTest.environment();
        return new Environment(hurried.clock(), hurried.random(), hurried.limits(), Duration.ofHours(1), laterWait,
                hurried.certificateWait(), hurried.deltaRetry());
    }

    private static PolicyClientConfig cached(ScriptedControlPlane controlPlane, Path disk) {
        PolicyClientConfig plain = ClientUnderTest.config(controlPlane.uri());
        return new PolicyClientConfig(
                plain.controlPlane(), plain.dialect(), plain.caFile(), plain.tokenFile(), plain.clientCertificate(),
                Optional.of(new PolicyClientConfig.Cache(disk, "")), plain.identity(), plain.initialBackoff(), plain.maxBackoff());
    }

    @Test
    void aMeshWithoutTlsAsksForNone() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitCluster("orders");
            assertThat(requested).isEmpty();
            policy.put(secured());
            policy.push();
            awaitOwn(under);
            assertThat(requested).hasSize(1);
        }
    }

    /** What could be called before could not until it came. */
    @Test
    void aChangeThatAsksForOneComesWithIt() {
        refuses = true;
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(ClientUnderTest.config(controlPlane.uri()), waiting(Duration.ofHours(1)))) {
            under.awaitCluster("orders");
            policy.put(secured());
            policy.push();
            under.awaitStatus(status -> status.problem().orElse("").contains("no certificate"));
            assertThat(under.client.snapshot().clusters().get("orders").transport().providers()).isEmpty();
            refuses = false;
            awaitOwn(under);
            assertThat(under.snapshots).allSatisfy(snapshot ->
                    assertThat(own(snapshot).isPresent())
                            .isEqualTo(!snapshot.clusters().get("orders").transport().providers().isEmpty()));
        }
    }

    /** Security fails closed. */
    @Test
    void meanwhileOtherChangesHoldAndWhatWasNotInForceIsClosed() {
        refuses = true;
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(ClientUnderTest.config(controlPlane.uri()), waiting(Duration.ofHours(1)))) {
            under.awaitCluster("orders");
            policy.put(secured());
            policy.put(secured("stock", "default", "default"));
            policy.put(Resources.cluster("users"));
            policy.put(Resources.assignment("users", 1002));
            policy.put(Resources.assignment("stock", 1003));
            policy.push();
            PolicySnapshot meanwhile = under.awaitSnapshot(snapshot -> snapshot.clusters().keySet().containsAll(Set.of("stock", "users")));
            assertThat(meanwhile.clusters().get("orders").transport().providers()).isEmpty();
            assertThat(meanwhile.clusters().get("stock").transport().providers()).isNotEmpty();
            assertThat(own(meanwhile)).isEmpty();
            refuses = false;
            awaitOwn(under);
            assertThat(under.client.snapshot().clusters().get("orders").transport().providers()).isNotEmpty();
        }
    }

    /** Security fails closed. */
    @Test
    void butNotForEver() {
        refuses = true;
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(ClientUnderTest.config(controlPlane.uri()), waiting(Duration.ofMillis(300)))) {
            under.awaitCluster("orders");
            policy.put(secured());
            policy.push();
            under.awaitSnapshot(snapshot -> !snapshot.clusters().get("orders").transport().providers().isEmpty());
            assertThat(own(under.client.snapshot())).isEmpty();
            // Once it was waited for in vain, no other change waits.
            policy.put(Resources.cluster("users"));
            policy.put(Resources.assignment("users", 1002));
            policy.push();
            under.awaitCluster("users");
            refuses = false;
            awaitOwn(under);
        }
    }

    private static Environment waiting(Duration certificateWait) {
        Environment hurried = ClientUnderTest.environment();
        return new Environment(hurried.clock(), hurried.random(), hurried.limits(), hurried.firstSnapshotWait(), hurried.laterSnapshotWait(),
                certificateWait, hurried.deltaRetry());
    }

    @Test
    void itIsRenewedWithANewKeyLongBeforeItExpires() {
        policy.put(secured());
        lifetime = Duration.ofSeconds(2);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            Set<PublicKey> keys = new HashSet<>();
            under.awaitSnapshot(snapshot -> {
                own(snapshot).ifPresent(certificate -> keys.add(certificate.leaf().getPublicKey()));
                return keys.size() >= 4;
            });
            // At no moment since the first was there none.
            List<PolicySnapshot> since = under.snapshots.stream().dropWhile(snapshot -> own(snapshot).isEmpty()).toList();
            assertThat(since).allSatisfy(snapshot -> assertThat(own(snapshot)).isPresent());
        }
    }

    @Test
    void aRefusalIsSaidAndTriedAgain() {
        policy.put(secured());
        refuses = true;
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            under.awaitStatus(status -> status.problem().orElse("").contains("no certificate for this process: UNAUTHENTICATED: no token came"));
            refuses = false;
            awaitOwn(under);
            under.awaitStatus(status -> status.problem().isEmpty());
        }
    }

    /** A cache that cannot be written costs nobody a call. */
    @Test
    void thatThereIsNoCertificateIsSaidBeforeWhatIsWrongWithTheCache(@TempDir Path folder) throws IOException {
        Path notADirectory = Files.createFile(folder.resolve("file"));
        policy.put(secured());
        lifetime = Duration.ofSeconds(2);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(cached(controlPlane, notADirectory))) {
            under.awaitStatus(status -> status.problem().orElse("").contains("cannot be written"));
            refuses = true;
            under.awaitStatus(status -> status.problem().orElse("").contains("no certificate for this process"));
            refuses = false;
            under.awaitStatus(status -> status.problem().orElse("").contains("cannot be written"));
        }
    }

    @Test
    void whatHasExpiredIsShownToNobody() {
        policy.put(secured());
        lifetime = Duration.ofSeconds(2);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri())) {
            awaitOwn(under);
            refuses = true;
            under.awaitSnapshot(snapshot -> own(snapshot).isEmpty());
            assertThat(under.client.snapshot().clusters()).containsKey("orders");
            refuses = false;
            awaitOwn(under);
        }
    }

    @Test
    void filesAreTakenInsteadAndTakenOverWhenTheyChange(@TempDir Path folder) throws IOException {
        policy.put(secured());
        KeyPair first = write(folder);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under =
                        new ClientUnderTest(config(controlPlane, new IdentityConfig(KeyType.EC_P256, new IdentityConfig.Directory(folder))))) {
            assertThat(awaitOwn(under).leaf().getPublicKey()).isEqualTo(first.getPublic());
            Files.writeString(folder.resolve("tls.key"), "nonsense");
            under.awaitStatus(status -> status.problem().isPresent());
            assertThat(own(under.client.snapshot()).orElseThrow().leaf().getPublicKey()).isEqualTo(first.getPublic());
            KeyPair second = write(folder);
            under.awaitSnapshot(snapshot -> own(snapshot).orElseThrow().leaf().getPublicKey().equals(second.getPublic()));
            assertThat(requested).isEmpty();
        }
    }

    /** As a bootstrap file of gRPC's may have them: one with all, one that only says whom to trust. */
    @Test
    void ofSeveralProvidersEachGivesItsOwnAndOneThatIsNotThereIsRefused(@TempDir Path one, @TempDir Path two) throws IOException {
        policy.put(secured("orders", "one", "two"));
        KeyPair first = write(one);
        Files.writeString(two.resolve("ca.crt"), TestAuthority.pem(OTHER_DOMAIN.root));
        IdentityConfig.Files all = new IdentityConfig.Files(
                Optional.of(new IdentityConfig.CertificateFiles(one.resolve("tls.crt"), one.resolve("tls.key"))),
                Optional.of(one.resolve("ca.crt")));
        IdentityConfig.Files roots = new IdentityConfig.Files(Optional.empty(), Optional.of(two.resolve("ca.crt")));
        IdentityConfig several = new IdentityConfig(KeyType.EC_P256, new IdentityConfig.Providers(Map.of("one", all, "two", roots)));
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, several))) {
            Map<String, Secret> secrets = under.awaitSnapshot(snapshot -> snapshot.secrets().size() == 3).secrets();
            assertThat(((Secret.Identity) secrets.get("own identity one").content()).certificate().key()).isEqualTo(first.getPrivate());
            assertThat(trust(secrets.get("own authorities one"))).isEqualTo(new Authorities(List.of(authority.root)));
            assertThat(trust(secrets.get("own authorities two"))).isEqualTo(new Authorities(List.of(OTHER_DOMAIN.root)));

            policy.put(secured("orders", "one", "three"));
            policy.push();
            assertThat(under.awaitStatus(status -> !status.refused().isEmpty()).refused()).singleElement().satisfies(refusal ->
                    assertThat(refusal.reason()).isEqualTo("names the certificate providers [three]; this process has [one, two]"));
            assertThat(under.client.snapshot().clusters().get("orders").transport().providers()).containsExactlyInAnyOrder("one", "two");

            // What one of them lacks is nothing that the other one does not give.
            Files.writeString(two.resolve("ca.crt"), "nonsense");
            under.awaitStatus(status -> status.problem().orElse("").contains(two.resolve("ca.crt") + " cannot be used"));
            KeyPair second = write(one);
            Secret.Identity renewed = (Secret.Identity) under.awaitSnapshot(snapshot ->
                    ((Secret.Identity) snapshot.secrets().get("own identity one").content()).certificate().key().equals(second.getPrivate()))
                    .secrets().get("own identity one").content();
            assertThat(renewed.certificate().uri()).isEqualTo(TestAuthority.ORDERS);
            assertThat(under.client.snapshot().secrets()).containsKey("own authorities two");
        }
    }

    private static CertificateValidation.Trust trust(Secret secret) {
        return ((Secret.Validation) secret.content()).validation().trust();
    }

    @Test
    void theWorkloadApiGivesOneAndFreshOnesLater() throws IOException {
        policy.put(secured());
        KeyPair first = issued();
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, fromWorkloadApi(controlPlane)))) {
            assertThat(awaitOwn(under).leaf().getPublicKey()).isEqualTo(first.getPublic());
            Secret.Validation trusted =
                    (Secret.Validation) under.client.snapshot().secrets().get(Secret.OWN_AUTHORITIES).content();
            assertThat(trusted.validation().trust()).isEqualTo(new TrustDomains(Map.of(
                    "default.default.mesh.local", List.of(authority.root), "other.example", List.of(OTHER_DOMAIN.root))));

            KeyPair second = issued();
            workloads.get(0).message(svid);
            under.awaitSnapshot(snapshot -> own(snapshot).orElseThrow().leaf().getPublicKey().equals(second.getPublic()));
            assertThat(requested).isEmpty();
        }
    }

    @Test
    void aWorkloadThatIsNotRegisteredIsToldSoAndAsksAgain() throws IOException {
        policy.put(secured());
        issued();
        refuses = true;
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, fromWorkloadApi(controlPlane)))) {
            under.awaitStatus(status -> status.problem().orElse("")
                    .contains("PERMISSION_DENIED: no identity issued; is this workload registered there?"));
            refuses = false;
            awaitOwn(under);
            under.awaitStatus(status -> status.problem().isEmpty());
        }
    }

    @Test
    void anEndOfTheWorkloadApiTakesNothingAway() throws IOException {
        policy.put(secured());
        issued();
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, fromWorkloadApi(controlPlane)))) {
            awaitOwn(under);
            refuses = true;
            Call lost = workloads.get(0);
            lost.stream().eventLoop().execute(lost::closeConnection);
            under.awaitStatus(status -> status.problem().orElse("").contains("PERMISSION_DENIED"));
            assertThat(own(under.client.snapshot())).isPresent();
        }
    }

    @Test
    void whatTheWorkloadApiGaveIsShownToNobodyOnceItHasExpired() throws IOException {
        policy.put(secured());
        issued();
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, fromWorkloadApi(controlPlane)))) {
            awaitOwn(under);
            lifetime = Duration.ofSeconds(4);
            issued();
            workloads.get(0).message(svid);
            under.awaitSnapshot(snapshot -> own(snapshot).isEmpty());
        }
    }

    @Test
    void whatTheWorkloadApiAnswersMustFitTogether() throws IOException {
        policy.put(secured());
        KeyPair pair = KeyType.EC_P256.generate();
        svid = svid(KeyType.EC_P256.generate(), authority.issue(pair.getPublic(), lifetime), authority.root);
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script());
                ClientUnderTest under = new ClientUnderTest(config(controlPlane, fromWorkloadApi(controlPlane)))) {
            under.awaitStatus(status -> status.problem().orElse("").contains("the key does not belong to the certificate"));
            assertThat(own(under.client.snapshot())).isEmpty();
        }
    }

    private static IdentityConfig fromWorkloadApi(ScriptedControlPlane endpoint) {
        return new IdentityConfig(KeyType.EC_P256,
                new IdentityConfig.FromWorkloadApi(URI.create(endpoint.uri().toString().replace("grpc:", "tcp:"))));
    }

    private KeyPair write(Path folder) throws IOException {
        KeyPair pair = KeyType.EC_P256.generate();
        Files.writeString(folder.resolve("tls.key"), TestAuthority.key(pair));
        Files.writeString(folder.resolve("tls.crt"), TestAuthority.pem(authority.issue(pair.getPublic(), lifetime)));
        Files.writeString(folder.resolve("ca.crt"), TestAuthority.pem(authority.root));
        return pair;
    }
}
