package io.weft.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.weft.policy.PolicyClientConfig.ClientCertificate;
import io.weft.policy.ScriptedControlPlane.Call;
import io.weft.policy.ScriptedControlPlane.StreamScript;
import io.weft.policy.identity.IdentityConfig;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is trusted with a policy, and what is shown to whom. */
class SecuredControlPlaneTest {
    private static final ServedPolicy POLICY = ServedPolicy.of("orders", 1001);

    @TempDir
    private static Path directory;

    private static Certificates server;
    private static Certificates stranger;
    private static Certificates elsewhere;

    @BeforeAll
    static void certificates() {
        server = new Certificates(directory, "server", "dns:localhost,ip:127.0.0.1");
        stranger = new Certificates(directory, "stranger", "dns:localhost,ip:127.0.0.1");
        elsewhere = new Certificates(directory, "elsewhere", "dns:elsewhere.example");
    }

    @Test
    void aTrustedControlPlaneIsObeyedByNameAndByAddress() throws Exception {
        try (ScriptedControlPlane controlPlane = secured(builder(server).build())) {
            for (String host : List.of("localhost", "127.0.0.1")) {
                try (ClientUnderTest under = new ClientUnderTest(trusting(controlPlane.uri(host), server))) {
                    under.awaitCluster("orders");
                }
            }
        }
    }

    @Test
    void anUnknownAuthorityIsNotTrusted() throws Exception {
        try (ScriptedControlPlane controlPlane = secured(builder(server).build());
                ClientUnderTest under = new ClientUnderTest(trusting(controlPlane.uri("localhost"), stranger))) {
            under.awaitError("TLS handshake failed", "certification path", "weft.control-plane.ca-file");
            assertThat(under.client.snapshot().clusters()).isEmpty();
        }
    }

    @Test
    void withoutACaFileTheJdksAuthoritiesDecide() throws Exception {
        try (ScriptedControlPlane controlPlane = secured(builder(server).build());
                ClientUnderTest under = new ClientUnderTest(controlPlane.uri("localhost"))) {
            under.awaitError("TLS handshake failed");
        }
    }

    @Test
    void aTrustedCertificateOfAnotherHostIsRefused() throws Exception {
        try (ScriptedControlPlane controlPlane = secured(builder(elsewhere).build());
                ClientUnderTest byName = new ClientUnderTest(trusting(controlPlane.uri("localhost"), elsewhere));
                ClientUnderTest byAddress = new ClientUnderTest(trusting(controlPlane.uri(), elsewhere))) {
            byName.awaitError("TLS handshake failed", "localhost");
            byAddress.awaitError("TLS handshake failed", "127.0.0.1");
        }
    }

    @Test
    void aServerThatDoesNotAgreeToHttp2IsRefused() throws Exception {
        SslContext withoutAlpn = SslContextBuilder.forServer(server.keyManagers()).build();
        try (ScriptedControlPlane controlPlane = secured(withoutAlpn);
                ClientUnderTest under = new ClientUnderTest(trusting(controlPlane.uri("localhost"), server))) {
            under.awaitError("did not agree to h2");
        }
    }

    @Test
    void clearTextWhereTlsIsExpectedAndTheOtherWayAround() throws Exception {
        try (ScriptedControlPlane plain = new ScriptedControlPlane(POLICY.script());
                ScriptedControlPlane secured = secured(builder(server).build());
                ClientUnderTest wantsTls = new ClientUnderTest(
                        trusting(URI.create(plain.uri().toString().replace("grpc:", "grpcs:")), server));
                ClientUnderTest wantsClearText = new ClientUnderTest(
                        URI.create(secured.uri().toString().replace("grpcs:", "grpc:")))) {
            wantsTls.awaitError("TLS handshake failed", "write grpc:// in place of grpcs://");
            wantsClearText.awaitError("UNAVAILABLE", "grpcs://");
        }
    }

    @Test
    void aClientCertificateIsShown() throws Exception {
        SslContext demanding = builder(server).clientAuth(ClientAuth.REQUIRE)
                .trustManager(stranger.certificate().toFile()).build();
        try (ScriptedControlPlane controlPlane = secured(demanding);
                ClientUnderTest without = new ClientUnderTest(trusting(controlPlane.uri("localhost"), server));
                ClientUnderTest with = new ClientUnderTest(showing(
                        trusting(controlPlane.uri("localhost"), server),
                        new ClientCertificate(stranger.certificate(), stranger.key())))) {
            with.awaitCluster("orders");
            without.awaitError("UNAVAILABLE");
            assertThat(without.client.snapshot().clusters()).isEmpty();
        }
    }

    @Test
    void filesThatCannotBeUsedAreNamed() throws Exception {
        Path nonsense = Files.writeString(directory.resolve("nonsense.pem"), "nonsense");
        URI uri = URI.create("grpcs://localhost:1");
        PolicyClientConfig plain = ClientUnderTest.config(uri);
        PolicyClientConfig badCa = new PolicyClientConfig(uri, plain.dialect(), Optional.of(nonsense), plain.tokenFile(), plain.clientCertificate(),
                plain.cache(), IdentityConfig.REQUESTED, plain.initialBackoff(), plain.maxBackoff());
        for (PolicyClientConfig config : List.of(
                badCa, showing(plain, new ClientCertificate(server.certificate(), nonsense)), tokened(plain, nonsense.resolve("no")))) {
            try (ClientUnderTest under = new ClientUnderTest(config)) {
                under.awaitError("nonsense.pem");
            }
        }
    }

    /** As kuma-cp makes its own. */
    @Test
    void whatToDoAboutACertificateOfNobodyIsSaid() throws Exception {
        Path nobody = Files.writeString(directory.resolve("nobody.pem"), """
                -----BEGIN CERTIFICATE-----
                MIIBVjCB/aADAgECAhRPO8SkPU3ysr13DoUlgfmFzhuerDAKBggqhkjOPQQDAjAA
                MCAXDTI2MTEyNzA5NDUzMVoYDzIxMjYxMTAzMDk0NTMxWjAAMFkwEwYHKoZIzj0C
                AQYIKoZIzj0DAQcDQgAEs6XLt1ksyi8yy1z++GNk18PBmPsoC/cz2DqbSY2NgDW0
                LxIKmK21/H2LVWJYvBlynskfvboPC1qbI8y+G9hBNqNTMFEwHQYDVR0OBBYEFLd6
                iip39DhO0swd3lxob2AWLzSeMB8GA1UdIwQYMBaAFLd6iip39DhO0swd3lxob2AW
                LzSeMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAMDVi2KXYhwn
                FcminoKbujUXEWbHMf2EKHd8Q+dSvTI3AiAKa6Wu2X6ikzgIbdZZESAFqc9gg95Y
                w4RDnycEe0Wf4Q==
                -----END CERTIFICATE-----
                """);
        PolicyClientConfig plain = ClientUnderTest.config(URI.create("grpcs://localhost:1"));
        try (ClientUnderTest under = new ClientUnderTest(new PolicyClientConfig(plain.controlPlane(), plain.dialect(), Optional.of(nobody),
                plain.tokenFile(), plain.clientCertificate(), plain.cache(), plain.identity(), plain.initialBackoff(), plain.maxBackoff()))) {
            under.awaitError(nobody.toString());
            under.awaitError("KUMA_GENERAL_TLS_CERT_FILE");
        }
    }

    @Test
    void theTokenIsReadAnewForEachStream() throws Exception {
        Path token = Files.writeString(directory.resolve("token"), "one\n");
        List<String> shown = new CopyOnWriteArrayList<>();
        ScriptedControlPlane.Script script = ScriptedControlPlane.http2(() -> new StreamScript() {
            @Override
            public void headers(Call call, Http2Headers headers) {
                shown.add(String.valueOf(headers.get("authorization")));
                call.respond();
            }
        });
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script, Optional.of(builder(server).build()));
                ClientUnderTest under = new ClientUnderTest(
                        tokened(trusting(controlPlane.uri("localhost"), server), token))) {
            await().until(() -> shown.size() == 1);
            Files.writeString(token, "two");
            controlPlane.dropConnections();
            await().until(() -> shown.size() == 2);
            assertThat(shown).containsExactly("Bearer one", "Bearer two");
            Files.writeString(token, "three\r\nx-injected: yes");
            controlPlane.dropConnections();
            under.awaitError("must hold one token");
        }
    }

    @Test
    void kumaIsShownTheTokenAsItIs() throws Exception {
        Path token = Files.writeString(directory.resolve("bare"), "one\n");
        List<String> shown = new CopyOnWriteArrayList<>();
        ScriptedControlPlane.Script script = ScriptedControlPlane.http2(() -> new StreamScript() {
            @Override
            public void headers(Call call, Http2Headers headers) {
                shown.add(String.valueOf(headers.get("authorization")));
                call.respond();
            }
        });
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(script, Optional.of(builder(server).build()));
                ClientUnderTest under = new ClientUnderTest(
                        tokened(trusting(controlPlane.uri("localhost"), server), Dialect.KUMA, token))) {
            await().until(() -> shown.size() == 1);
            assertThat(shown).containsExactly("one");
        }
    }

    private static ScriptedControlPlane secured(SslContext context) {
        return new ScriptedControlPlane(POLICY.script(), Optional.of(context));
    }

    private static SslContextBuilder builder(Certificates certificates) throws Exception {
        return SslContextBuilder.forServer(certificates.keyManagers()).applicationProtocolConfig(new ApplicationProtocolConfig(
                Protocol.ALPN, SelectorFailureBehavior.NO_ADVERTISE, SelectedListenerFailureBehavior.ACCEPT,
                ApplicationProtocolNames.HTTP_2));
    }

    private static PolicyClientConfig trusting(URI uri, Certificates authority) throws Exception {
        PolicyClientConfig plain = ClientUnderTest.config(uri);
        return new PolicyClientConfig(uri, plain.dialect(), Optional.of(authority.certificate()), plain.tokenFile(), plain.clientCertificate(),
                plain.cache(), IdentityConfig.REQUESTED, plain.initialBackoff(), plain.maxBackoff());
    }

    private static PolicyClientConfig showing(PolicyClientConfig config, ClientCertificate certificate) {
        return new PolicyClientConfig(config.controlPlane(), config.dialect(), config.caFile(), config.tokenFile(), Optional.of(certificate),
                config.cache(), IdentityConfig.REQUESTED, config.initialBackoff(), config.maxBackoff());
    }

    private static PolicyClientConfig tokened(PolicyClientConfig config, Path token) {
        return tokened(config, config.dialect(), token);
    }

    private static PolicyClientConfig tokened(PolicyClientConfig config, Dialect dialect, Path token) {
        return new PolicyClientConfig(config.controlPlane(), dialect, config.caFile(), Optional.of(token), config.clientCertificate(),
                config.cache(), IdentityConfig.REQUESTED, config.initialBackoff(), config.maxBackoff());
    }
}
