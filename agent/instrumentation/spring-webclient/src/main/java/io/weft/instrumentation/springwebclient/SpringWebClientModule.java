package io.weft.instrumentation.springwebclient;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Spring's {@code WebClient}, of which the library below does not hear of a request's headers before it has a connection. It decides
 * nothing: it hands the headers down.
 */
public final class SpringWebClientModule {
    private SpringWebClientModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "spring-webclient",
                "5.3 to 7",
                "io.weft.instrumentation.springwebclient.SpringWebClientAdapter",
                List.of(),
                List.of(Hook.result(
                        "exchange",
                        "org.springframework.web.reactive.function.client.ExchangeFunctions$DefaultExchangeFunction",
                        "exchange",
                        "(Lorg/springframework/web/reactive/function/client/ClientRequest;)Lreactor/core/publisher/Mono;")))
                .released(Releases.of(List.of("org.springframework:spring-webflux"), "5.3 to 7"));
    }
}
