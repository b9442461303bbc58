package io.weft.it.client;

import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.HttpUrlConnection;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.Library;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** A client library in one version. One that joins here has to meet every expectation of {@link ClientIT}. */
enum Client {
    JAVA_NET_HTTP(JavaNetHttp.class, null),
    HTTP_URL_CONNECTION(HttpUrlConnection.class, null),
    APACHE_HTTP_CLIENT_5_0(ApacheHttpClient5.class, "httpclient5-5.0"),
    APACHE_HTTP_CLIENT_5_6(ApacheHttpClient5.class, "httpclient5-5.6");

    final Class<?> driver;

    /** Null: part of the JDK. */
    private final String library;

    Client(Class<?> driver, String library) {
        this.driver = driver;
        this.library = library;
    }

    JvmCommand on(JvmCommand jvm) {
        return library == null ? jvm : jvm.classPath(Library.named(library));
    }

    boolean isApache() {
        return driver == ApacheHttpClient5.class;
    }

    /** Every client on every JDK of the matrix. */
    static final class Matrix implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            return Jdks.matrix().stream().flatMap(jdk -> Stream.of(values()).map(client -> Arguments.of(jdk, client)));
        }
    }
}
