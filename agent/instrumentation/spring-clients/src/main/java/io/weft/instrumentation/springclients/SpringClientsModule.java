package io.weft.instrumentation.springclients;

import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import io.weft.instrumentation.Releases;
import java.util.List;

/**
 * Spring's {@code WebClient}, {@code RestClient} and {@code RestTemplate} over Reactor Netty, which does not hear of a request's headers
 * before it has a connection. It decides nothing: it hands the headers down.
 */
public final class SpringClientsModule {
    private SpringClientsModule() {}

    public static InstrumentationModule module() {
        return new InstrumentationModule(
                "spring-clients",
                "5.3 to 7",
                "io.weft.instrumentation.springclients.SpringClientsAdapter",
                List.of(),
                List.of(
                        Hook.result(
                                "exchange",
                                "org.springframework.web.reactive.function.client.ExchangeFunctions$DefaultExchangeFunction",
                                "exchange",
                                "(Lorg/springframework/web/reactive/function/client/ClientRequest;)Lreactor/core/publisher/Mono;"),
                        Hook.around(
                                "execute",
                                "org.springframework.http.client.AbstractClientHttpRequest",
                                "execute",
                                "()Lorg/springframework/http/client/ClientHttpResponse;")))
                .released(Releases.of(List.of("org.springframework:spring-webflux", "org.springframework:spring-web"), "5.3 to 7"));
    }
}
