package io.weft.it.comparison;

import io.weft.it.envoy.AdsBootstrap;
import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.PolicyServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A stock Envoy with a policy server of its own. */
final class EnvoySubject implements Subject {
    private final PolicyServer server = PolicyServer.start(PolicyServer.Protocol.DELTA_AND_STATE_OF_THE_WORLD);
    private final RawHttp http = new RawHttp();
    private final Envoy envoy;
    private int refusalsBefore;

    /** @param folder for its files */
    EnvoySubject(EnvoyBinary binary, Path folder) {
        try {
            AdsBootstrap bootstrap = new AdsBootstrap(
                    server.uri().getPort(), "DELTA_GRPC", "envoy", "comparison", Map.of(), Optional.empty());
            envoy = Envoy.start(binary, bootstrap.yaml(), folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String name() {
        return "Envoy";
    }

    @Override
    public void serve(Batch batch) {
        // A changed listener closes its connections.
        http.closeIdle();
        refusalsBefore = server.refusals().size();
        server.serve(batch.policy());
    }

    @Override
    public void repeat(Batch batch) {
        server.serve(batch.policy());
    }

    @Override
    public List<String> refusals() {
        List<String> all = server.refusals();
        return all.subList(refusalsBefore, all.size());
    }

    @Override
    public Answer send(Request request, int port, String tag) {
        StringBuilder head = new StringBuilder();
        head.append(request.method()).append(' ').append(request.target()).append(" HTTP/1.1\r\n");
        head.append("Host: ").append(request.host()).append(':').append(port).append("\r\n");
        request.allHeaders(tag).forEach(header -> head.append(header).append("\r\n"));
        if (!request.body().isEmpty()) {
            head.append("content-length: ").append(request.body().getBytes(StandardCharsets.UTF_8).length).append("\r\n");
        }
        head.append("\r\n");
        return http.send(port, head.toString(), request.body(), request.method().equals("HEAD"));
    }

    String log() {
        return envoy.log();
    }

    @Override
    public void close() {
        http.close();
        envoy.close();
        server.close();
    }
}
