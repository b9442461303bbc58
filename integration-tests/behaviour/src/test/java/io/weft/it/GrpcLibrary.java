package io.weft.it;

import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.Library;
import java.util.Collections;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** gRPC-Java with one of its transports: the oldest version on the oldest JDK, the newest on the newest, so that it costs CI little. */
public enum GrpcLibrary {
    NETTY_1_50("grpc-netty", "1.50"),
    NETTY_1_85("grpc-netty", "1.85"),
    NETTY_SHADED_1_50("grpc-netty-shaded", "1.50"),
    NETTY_SHADED_1_85("grpc-netty-shaded", "1.85"),
    OKHTTP_1_50("grpc-okhttp", "1.50"),
    OKHTTP_1_82("grpc-okhttp", "1.82");

    private static final String OLDEST = "1.50";
    private static final Comparator<Jdk> BY_FEATURE = Comparator.comparingInt(Jdk::feature);

    private final String transport;
    private final String version;

    GrpcLibrary(String transport, String version) {
        this.transport = transport;
        this.version = version;
    }

    public Library jars() {
        return Library.named(transport + "-" + version);
    }

    /** Reflection and health. */
    public Library services() {
        return Library.named("grpc-services-" + version);
    }

    /** For people. */
    public String title() {
        return "`" + transport + "` " + version;
    }

    /** For people, of the JDKs of CI. */
    public String jdks() {
        return version.equals(OLDEST) ? "the oldest" : "the newest";
    }

    /** Whether the {@code netty} module serves it. */
    public boolean isNettys() {
        return transport.startsWith("grpc-netty");
    }

    private Jdk jdk() {
        return version.equals(OLDEST) ? Collections.min(Jdks.matrix(), BY_FEATURE) : Collections.max(Jdks.matrix(), BY_FEATURE);
    }

    @Override
    public String toString() {
        return transport + "-" + version;
    }

    /** As a client; with the system property {@code weft.it.grpc} those whose name begins so, as in {@code grpc-okhttp}. */
    public static final class Clients implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            return arguments(Stream.of(values()));
        }
    }

    /** As a server; with the system property {@code weft.it.grpc} those whose name begins so. */
    public static final class Servers implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            return arguments(Stream.of(values()).filter(GrpcLibrary::isNettys));
        }
    }

    private static Stream<Arguments> arguments(Stream<GrpcLibrary> libraries) {
        String only = System.getProperty("weft.it.grpc", "");
        return libraries.filter(library -> library.toString().startsWith(only)).map(library -> Arguments.of(library.jdk(), library));
    }
}
