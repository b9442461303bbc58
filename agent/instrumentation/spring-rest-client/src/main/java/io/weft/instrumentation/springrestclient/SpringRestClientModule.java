package io.weft.instrumentation.springrestclient;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Spring's {@code RestClient} and {@code RestTemplate} over Reactor Netty, which does not hear of a request's headers before it has a
 * connection. It decides nothing: it hands the headers down.
 */
public final class SpringRestClientModule {
    private SpringRestClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "spring-rest-client",
                "6.1 to 7",
                "io.weft.instrumentation.springrestclient.SpringRestClientAdapter",
                List.of(),
                // from 6.2 on, in 6.1
                List.of(execute("ReactorClientHttpRequest"), execute("ReactorNettyClientRequest")))
                .released(Releases.of(List.of("org.springframework:spring-web"), "6.1 to 7"));
    }

    private static Hook execute(String className) {
        return Hook.around(
                "execute",
                "org.springframework.http.client." + className,
                "executeInternal",
                "(Lorg/springframework/http/HttpHeaders;Lorg/springframework/http/StreamingHttpOutputMessage$Body;)"
                        + "Lorg/springframework/http/client/ClientHttpResponse;").whenPresent();
    }
}
