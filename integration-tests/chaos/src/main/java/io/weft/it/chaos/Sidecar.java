package io.weft.it.chaos;

import io.weft.it.envoy.AdsBootstrap;
import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Port;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * A stock Envoy beside one program, with what the shop's control plane says to it.
 *
 * @param port the client's: where it takes what is for others
 */
record Sidecar(Envoy envoy, int port) implements AutoCloseable {
    private static final String INSTANCE = """
            '{"type": "Dataplane", "mesh": "default", "name": "orders-%s", "networking": {"address": "127.0.0.1", "inbound": [
            {"port": %d, "servicePort": %d, "tags": {"kuma.io/service": "orders", "kuma.io/protocol": "http", "version": "%s"}}]}}'""";

    /** Before an instance that listens on a port of loopback, and registers it. */
    static Sidecar of(int controlPlane, Path folder, String name, String version, int port) {
        String resource = INSTANCE.formatted(name, Port.unused(), port, version).replace("\n", " ");
        return start(controlPlane, folder, "orders-" + name, "orders", Map.of("dataplane.resource", resource), Port.unused());
    }

    static Sidecar ofClient(int controlPlane, Path folder) {
        return start(controlPlane, folder, "shop-1", "shop", Map.of(), Port.unused());
    }

    private static Sidecar start(int controlPlane, Path folder, String name, String service, Map<String, String> own, int outbound) {
        EnvoyBinary binary = EnvoyBinary.find();
        Assumptions.assumeTrue(binary.isPresent(), "there is no Envoy: " + binary.reason());
        Map<String, String> metadata = new HashMap<>(own);
        metadata.put("weft.outbound.ports", "{\"80\": " + outbound + "}");
        String bootstrap =
                new AdsBootstrap(controlPlane, "DELTA_GRPC", "default." + name, service, metadata, Optional.empty()).yaml();
        try {
            return new Sidecar(Envoy.start(binary, bootstrap, Files.createTempDirectory(folder, "envoy")), outbound);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        envoy.close();
    }
}
