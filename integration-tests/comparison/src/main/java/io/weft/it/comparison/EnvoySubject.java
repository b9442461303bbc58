package io.weft.it.comparison;

import io.weft.it.comparison.Case.Way;
import io.weft.it.envoy.AdsBootstrap;
import io.weft.it.envoy.AdsBootstrap.Zones;
import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Port;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A stock Envoy with a policy server of its own. */
final class EnvoySubject implements Subject {
    private final PolicyServer server = PolicyServer.start(PolicyServer.Protocol.DELTA_AND_STATE_OF_THE_WORLD);
    private final RawHttp http = new RawHttp();
    private final Map<Way, Integer> ports = Map.of(Way.IN_JDK_HTTPSERVER, Port.unused(), Way.IN_TOMCAT, Port.unused());
    private final Envoy envoy;
    private int refusalsBefore;

    /** @param folder for its files */
    EnvoySubject(EnvoyBinary binary, Path folder) {
        try {
            AdsBootstrap bootstrap = new AdsBootstrap(
                    server.uri().getPort(), "DELTA_GRPC", "envoy", "comparison", Map.of(), Optional.empty(),
                    Optional.of(new Zones(ZoneArea.OWN, ZoneArea.LOCAL_CLUSTER, ZoneArea.INSTANCES)));
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
        server.serve(batch.policy(ports));
    }

    @Override
    public void repeat(Batch batch) {
        server.serve(batch.policy(ports));
    }

    @Override
    public List<String> refusals() {
        List<String> all = server.refusals();
        return all.subList(refusalsBefore, all.size());
    }

    @Override
    public Answer send(Request request, Batch.Gate gate, String tag) {
        return gate.way() == Way.OUT
                ? http.send(gate.port(), request, request.host() + ":" + gate.port(), tag)
                : http.send(ports.get(gate.way()), request, request.host(), tag);
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
