package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.ExpectationTable;
import io.weft.it.ExpectationTable.Missing;
import io.weft.it.GrpcLibrary;
import io.weft.it.harness.PublishedSection;
import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The tables of what is expected of which client in {@code docs/libraries.md}, as the suites have it: {@link ClientIT}, {@link GrpcClientIT} and
 * {@link NettyClientIT} fail where they say yes and that is not so. Written anew with {@code -Dweft.it.write-docs=true}.
 */
class LibrariesIT {
    private static final List<Class<? extends Expectations>> AREAS = List.of(
            RoutingExpectations.class,
            RetryExpectations.class,
            TimeLimitExpectations.class,
            HedgeExpectations.class,
            MirrorExpectations.class,
            MeshTlsExpectations.class,
            LeftBehindExpectations.class,
            TransparencyExpectations.class,
            SizeExpectations.class,
            OutsideExpectations.class);

    @Test
    void theTableOfClientsIsUpToDate() {
        Map<String, Class<?>> areas = new LinkedHashMap<>();
        AREAS.forEach(area -> areas.put(PublishedSection.words(area.getSimpleName().replace("Expectations", "")), area));
        new ExpectationTable(ExpectationTable.columns(Client.values(), client -> client.title, Client::jdks, LibrariesIT::missing), areas).isUpToDateAs("clients");
    }

    @Test
    void theTableOfGrpcIsUpToDate() {
        new ExpectationTable(
                        ExpectationTable.columns(GrpcLibrary.values(), GrpcLibrary::title, GrpcLibrary::jdks, (library, expectation) -> Optional.empty()),
                        Map.of("calls", GrpcClientIT.class))
                .isUpToDateAs("gRPC clients");
    }

    @Test
    void theTableOfNettysCodecIsUpToDate() {
        new ExpectationTable(
                        ExpectationTable.columns(NettyClientIT.Netty.values(), netty -> netty.title, netty -> "the newest", (library, expectation) -> Optional.empty()),
                        Map.of("connections", NettyClientIT.class))
                .isUpToDateAs("Netty clients");
    }

    @Test
    void everyAreaOfTheSuiteIsInTheTable() {
        List<Class<?>> tested = Stream.of(ClientIT.class.getDeclaredClasses()).<Class<?>>map(Class::getSuperclass).toList();

        assertThat(tested).containsExactlyInAnyOrderElementsOf(AREAS);
    }

    private static Optional<Missing> missing(Client client, Method expectation) {
        return Optional.ofNullable(expectation.getAnnotation(Takes.class))
                .map(Takes::value)
                .filter(trait -> !trait.isOf(client))
                .map(trait -> new Missing(trait.without, trait.reason));
    }
}
