package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.policy.identity.IdentityConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    private Optional<IdentityConfig.Files> read(String text) throws IOException {
        return GrpcBootstrap.identity(Files.writeString(folder.resolve("bootstrap.json"), text));
    }

    @Test
    void theFilesOfItsProvider() throws IOException {
        assertThat(read("""
                {"xds_servers": [{"server_uri": "x:1", "channel_creds": [{"type": "insecure"}]}], "node": {"id": "a", "locality": {}},
                 "certificate_providers": {"default": %s}}""".formatted(PROVIDER)))
                .contains(new IdentityConfig.Files(Path.of("/c.pem"), Path.of("/k.pem"), Path.of("/ca.pem")));
        assertThat(read("{\"xds_servers\": []}")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "file_watcher|meshca|certificate_providers.default.plugin_name: must be file_watcher, not meshca",
        "private_key_file|other_file|certificate_providers.default.config.private_key_file: is missing",
        "{|[|GRPC_XDS_BOOTSTRAP: ",
    })
    void whatItCannotBeReadFrom(String text, String instead, String reason) {
        String broken = ("{\"certificate_providers\": {\"default\": " + PROVIDER + "}}").replace(text, instead);
        assertThatThrownBy(() -> read(broken)).isInstanceOf(IOException.class).hasMessageContaining(reason);
    }

    @Test
    void severalProvidersAreTooMany() {
        assertThatThrownBy(() -> read("{\"certificate_providers\": {\"a\": " + PROVIDER + ", \"b\": " + PROVIDER + "}}"))
                .hasMessageContaining("certificate_providers: has [a, b]; one is supported");
    }
}
