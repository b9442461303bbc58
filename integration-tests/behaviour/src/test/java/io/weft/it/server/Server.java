package io.weft.it.server;

import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** A server library in one version. One that joins here has to meet every expectation of {@link ServerIT}. */
enum Server {
    TOMCAT_9("tomcat.javax.TomcatServer", "tomcat-9"),
    TOMCAT_10_1("tomcat.jakarta.TomcatServer", "tomcat-10.1"),
    TOMCAT_11("tomcat.jakarta.TomcatServer", "tomcat-11"),
    JDK_HTTP_SERVER("JdkHttpServer", null),
    NETTY_4_1("NettyServer", "netty-4.1"),
    REACTOR_NETTY("ReactorNettyServer", "reactor-netty-1.3");

    private final String driver;

    /** Null: part of the JDK. */
    private final String library;

    Server(String driver, String library) {
        this.driver = "io.weft.driver." + driver;
        this.library = library;
    }

    /** @param instance the body of its answers */
    JvmProcess start(JvmCommand jvm, String instance) {
        return (library == null ? jvm : jvm.classPath(Library.named(library))).driver(driver, instance);
    }

    boolean isTomcat() {
        return name().startsWith("TOMCAT");
    }

    /** WebSocket, too. */
    boolean speaksHttp2() {
        return isTomcat() || this == REACTOR_NETTY;
    }

    /** By itself or by the kernel. */
    boolean sendsFiles() {
        return this != JDK_HTTP_SERVER;
    }

    /** A thread that serves a request serves no other, so it may end the JVM without holding others up. */
    boolean hasThreadsForRequests() {
        return isTomcat() || this == JDK_HTTP_SERVER;
    }

    /** Every server on every JDK of the matrix. */
    static final class Matrix implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            return Jdks.matrix().stream().flatMap(jdk -> Stream.of(values()).map(server -> Arguments.of(jdk, server)));
        }
    }
}
