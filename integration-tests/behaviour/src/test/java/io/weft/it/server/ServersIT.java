package io.weft.it.server;

import io.weft.it.ExpectationTable;
import io.weft.it.ExpectationTable.Missing;
import io.weft.it.GrpcLibrary;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The tables of what is expected of which server in {@code docs/libraries.md}, as the suites have it, which fail where they say yes and that
 * is not so. Written anew with {@code -Dweft.it.write-docs=true}.
 */
class ServersIT {
    private static final Map<String, Class<?>> AREAS = new TreeMap<>(Map.of("behaviour", ServerIT.class, "mesh tls", ServerTlsIT.class, "policy", ServerPolicyIT.class));

    @Test
    void theTableOfServersIsUpToDate() {
        new ExpectationTable(ExpectationTable.columns(Server.values(), server -> server.title, Server::jdks, ServersIT::missing), AREAS).isUpToDateAs("servers");
    }

    @Test
    void theTableOfGrpcIsUpToDate() {
        GrpcLibrary[] served = Stream.of(GrpcLibrary.values()).filter(GrpcLibrary::isNettys).toArray(GrpcLibrary[]::new);
        new ExpectationTable(
                        ExpectationTable.columns(served, GrpcLibrary::title, GrpcLibrary::jdks, (library, expectation) -> Optional.empty()),
                        Map.of("calls", GrpcServerIT.class))
                .isUpToDateAs("gRPC servers");
    }

    private static Optional<Missing> missing(Server server, Method expectation) {
        return Optional.ofNullable(expectation.getAnnotation(Takes.class))
                .map(Takes::value)
                .filter(trait -> !trait.isOf(server))
                .map(trait -> new Missing("n.a.", trait.reason));
    }
}
