package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.policy.PolicyClientConfig.ClientCertificate;
import io.weft.policy.identity.IdentityConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GrpcBootstrapTest {
    private static final String PROVIDER = """
            {"plugin_name": "file_watcher", "config": {"certificate_file": "/c.pem", "private_key_file": "/k.pem",
             "ca_certificate_file": "/ca.pem", "refresh_interval": "10s"}}""";

    @TempDir
    private Path folder;

    private GrpcBootstrap bootstrap(String text) throws IOException {
        return GrpcBootstrap.read(Files.writeString(folder.resolve("bootstrap.json"), text));
    }

    private Optional<IdentityConfig.Source> read(String text) throws IOException {
        return bootstrap(text).identity();
    }

    private GrpcBootstrap.Server server(String target, String credentials) throws IOException {
        return bootstrap("{\"xds_servers\": [{\"server_uri\": \"" + target + "\", \"channel_creds\": [" + credentials + "]}, {}]}").server();
    }

    @ParameterizedTest
    @CsvSource({
        "unix:///etc/istio/proxy/XDS,   unix:/etc/istio/proxy/XDS",
        "unix:///./etc/istio/proxy/XDS, unix:/etc/istio/proxy/XDS",
        "unix:/etc/istio/proxy/XDS,     unix:/etc/istio/proxy/XDS",
        "istiod.istio-system.svc:15010, grpc://istiod.istio-system.svc:15010",
        "dns:///istiod:15010,           grpc://istiod:15010",
        "[::1]:15010,                   grpc://[::1]:15010",
    })
    void whereItsFirstServerIs(String target, String uri) throws IOException {
        assertThat(server(target, "{\"type\": \"google_default\"}, {\"type\": \"insecure\"}"))
                .isEqualTo(new GrpcBootstrap.Server(URI.create(uri), Optional.empty(), Optional.empty()));
    }

    @Test
    void byTlsWithItsFiles() throws IOException {
        assertThat(server("istiod:15012", """
                {"type": "tls", "config": {"ca_certificate_file": "/ca.pem", "certificate_file": "/c.pem", "private_key_file": "/k.pem"}}"""))
                .isEqualTo(new GrpcBootstrap.Server(URI.create("grpcs://istiod:15012"), Optional.of(Path.of("/ca.pem")),
                        Optional.of(new ClientCertificate(Path.of("/c.pem"), Path.of("/k.pem")))));
    }

    @Test
    void whatCannotBeAskedIsSaidWhy() {
        assertThatThrownBy(() -> bootstrap("{}").server()).hasMessageContaining("bootstrap.json: xds_servers: names none");
        assertThatThrownBy(() -> server("istiod:15012", "{\"type\": \"google_default\"}"))
                .hasMessageContaining("xds_servers[0].channel_creds: has neither insecure nor tls");
        assertThatThrownBy(() -> server("istiod", "{\"type\": \"insecure\"}"))
                .hasMessageContaining("xds_servers[0].server_uri: must be unix:/path, dns:///host:port or host:port, not istiod");
        assertThatThrownBy(() -> server("a b:1", "{\"type\": \"insecure\"}")).isInstanceOf(IOException.class)
                .hasMessageContaining("xds_servers[0].server_uri: ");
        assertThatThrownBy(() -> server("istiod:1", "{\"type\": \"tls\", \"config\": {\"certificate_file\": \"/c.pem\"}}"))
                .hasMessageContaining("channel_creds.config.private_key_file: is missing, though certificate_file is there");
    }

    private static IdentityConfig.Files files(String chain, String key, String authorities) {
        return new IdentityConfig.Files(
                Optional.of(new IdentityConfig.CertificateFiles(Path.of(chain), Path.of(key))), Optional.of(Path.of(authorities)));
    }

    @Test
    void theFilesOfItsProvider() throws IOException {
        assertThat(read("""
                {"xds_servers": [{"server_uri": "x:1", "channel_creds": [{"type": "insecure"}]}], "node": {"id": "a", "locality": {}},
                 "certificate_providers": {"default": %s}}""".formatted(PROVIDER)))
                .contains(files("/c.pem", "/k.pem", "/ca.pem"));
        assertThat(read("{\"xds_servers\": []}")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "file_watcher|meshca|certificate_providers.default.plugin_name: must be file_watcher, not meshca",
        "private_key_file|other_file|certificate_providers.default.config.private_key_file: is missing, though certificate_file is there",
        "certificate_file\": \"/c|other_file\": \"/c|certificate_providers.default.config.certificate_file: is missing, though private_key_file is there",
        "config\":|other\":|certificate_providers.default.config: has neither certificate_file nor ca_certificate_file",
        "{|[|GRPC_XDS_BOOTSTRAP: ",
    })
    void whatItCannotBeReadFrom(String text, String instead, String reason) {
        String broken = ("{\"certificate_providers\": {\"default\": " + PROVIDER + "}}").replace(text, instead);
        assertThatThrownBy(() -> read(broken)).isInstanceOf(IOException.class).hasMessageContaining(reason);
    }

    @Test
    void severalProvidersEachWithWhatItIsFor() throws IOException {
        assertThat(read("""
                {"certificate_providers": {"all": %s,
                 "roots": {"plugin_name": "file_watcher", "config": {"ca_certificate_file": "/other.pem"}},
                 "shown": {"plugin_name": "file_watcher", "config": {"certificate_file": "/c2.pem", "private_key_file": "/k2.pem"}}}}"""
                .formatted(PROVIDER)))
                .contains(new IdentityConfig.Providers(Map.of(
                        "all", files("/c.pem", "/k.pem", "/ca.pem"),
                        "roots", new IdentityConfig.Files(Optional.empty(), Optional.of(Path.of("/other.pem"))),
                        "shown", new IdentityConfig.Files(
                                Optional.of(new IdentityConfig.CertificateFiles(Path.of("/c2.pem"), Path.of("/k2.pem"))),
                                Optional.empty()))));
    }
}
