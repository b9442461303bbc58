package io.weft.agent.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.model.TransportSockets;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The policy in force as an operator sees it, and what of it is nobody's to see. */
class ConfigDumpTest {
    /** Self-signed, of {@code CN=dump}. */
    private static final String CERTIFICATE = """
            -----BEGIN CERTIFICATE-----
            MIIBlDCCATqgAwIBAgIUAIOGX9mEe3dpxM31FYNMIoo+nUUwCgYIKoZIzj0EAwIw
            DzENMAsGA1UEAwwEZHVtcDAgFw0yNjExMjYxMzU4MTlaGA8yMTI2MTEwMjEzNTgx
            OVowDzENMAsGA1UEAwwEZHVtcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH1Q
            Lu6qIF0qIYgWVuLncv67dALijdQEyA2v9OIFpFBc0DN1/Rs0OPAFspC6gg+lOsc5
            6j6V+dF/ezlYzuAHSZyjcjBwMB0GA1UdDgQWBBSBB57nBbAsTjZiYLKkSvEteVWA
            xzAfBgNVHSMEGDAWgBSBB57nBbAsTjZiYLKkSvEteVWAxzAPBgNVHRMBAf8EBTAD
            AQH/MB0GA1UdEQQWMBSGEnNwaWZmZTovL21lc2gvZHVtcDAKBggqhkjOPQQDAgNI
            ADBFAiBVgHvAsZQXSZSvJEIw1ykb1cU2w236/v5B828DlZk2RgIhAL35Ui0AnpXa
            /wDvEc9w5wIEKEau/N+QCIQPziaNNI+x
            -----END CERTIFICATE-----
            """;

    private static PolicySnapshot policy(Map<String, Secret> secrets) {
        EndpointAssignment endpoints = new EndpointAssignment("orders",
                List.of(new LocalityEndpoints(new Locality("", "eu-1", ""), 0, 0, List.of(new LbEndpoint(
                        new HostPort("10.0.0.1", 8080), "", 3, Health.DEGRADED, Map.of("version", "v2"), Map.of())))), 140, false);
        Cluster cluster = new Cluster("orders", new Cluster.Eds("orders"), LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT),
                Resilience.DEFAULT, TransportSockets.PLAINTEXT, HttpVersion.HTTP_1_1, false, Map.of());
        return new PolicySnapshot(7, Map.of(), Map.of(), Map.of("orders", cluster), Map.of("orders", endpoints), secrets, NameTable.EMPTY, List.of());
    }

    @Test
    void eachFieldIsThereByItsName() {
        String dump = ConfigDump.of(policy(Map.of()));
        assertThat(dump.replaceAll("\\s", ""))
                .startsWith("{\"generation\":7,\"listeners\":[],\"routeConfigurations\":[],\"clusters\":[{")
                .contains("\"name\":\"orders\",\"discovery\":{\"@type\":\"Eds\",\"serviceName\":\"orders\"}")
                .contains("\"zone\":\"eu-1\"", "\"address\":{\"host\":\"10.0.0.1\",\"port\":8080}", "\"weight\":3,\"health\":\"DEGRADED\"")
                .contains("\"labels\":{\"version\":\"v2\"}");
    }

    private static PolicySnapshot guarded(String jwks) {
        JwtAuthentication jwt = new JwtAuthentication(
                Map.of("us", new JwtAuthentication.Provider(
                        new JwtAuthentication.Claims("us", List.of(), Optional.empty(), Duration.ZERO, false, Optional.empty()),
                        new JwtAuthentication.InlineKeys(jwks),
                        new JwtAuthentication.Locations(List.of(), List.of(), List.of()),
                        new JwtAuthentication.Forwarding(false, Optional.empty(), List.of(), Optional.empty()))),
                List.of(), Map.of(), false, false);
        FilterChain chain = FilterChain.plaintext(new HttpConnectionManager(
                "inbound", new HttpConnectionManager.Inline(RouteConfiguration.named("inbound")),
                List.of(new NamedFilter("jwt", new HttpFilter.TokenAuthentication(jwt), false)), HttpConnectionManager.Edge.NONE,
                HttpConnectionManager.StreamLimits.NONE));
        Listener listener = new Listener("inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080), List.of(chain));
        return new PolicySnapshot(1, Map.of("inbound", listener), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of());
    }

    /** With it anybody could make a token that the app takes for good. */
    @Test
    void noKeyThatTokensAreSignedWithIsWritten() {
        for (String secret : List.of("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\" : \"c2VjcmV0\"}]}",
                "{\"keys\":[{\"kty\":\"oct\",\"\\u006b\":\"c2VjcmV0\"}]}")) {
            assertThat(ConfigDump.of(guarded(secret))).contains("[redacted]").doesNotContain("c2VjcmV0");
        }
        String open = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"cHVibGlj\"}]}";
        assertThat(ConfigDump.of(guarded(open))).contains("cHVibGlj");
    }

    @Test
    void noKeyIsWritten() throws Exception {
        PrivateKey key = KeyPairGenerator.getInstance("EC").generateKeyPair().getPrivate();
        X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(CERTIFICATE.getBytes(StandardCharsets.US_ASCII)));
        Secret secret = new Secret("identity", new Secret.Identity(new TlsCertificate(List.of(certificate), key)));
        PolicySnapshot policy = policy(Map.of("identity", secret));
        String dump = ConfigDump.of(policy);
        assertThat(dump.replaceAll("\\s", "")).contains("\"secrets\":[{\"name\":\"identity\",\"content\":\"Identity\"}]");
        assertThat(dump).doesNotContain(Base64.getEncoder().encodeToString(key.getEncoded()), key.toString());
        String certificates = CertificatesJson.of(policy, Instant.parse("2026-11-26T00:00:00Z"));
        assertThat(certificates.replaceAll("\\s", "")).contains("\"path\":\"secretidentity\"", "\"uri\":\"spiffe://mesh/dump\"");
        assertThat(certificates).doesNotContain(Base64.getEncoder().encodeToString(key.getEncoded()));
    }
}
