package io.weft.instrumentation.reactornetty;

import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;

/** In place of the library's connection. Subscribed to once, by the library. */
final class HopMono extends Mono<Connection> {
    private final Hop hop;

    HopMono(Hop hop) {
        this.hop = hop;
    }

    @Override
    public void subscribe(CoreSubscriber<? super Connection> library) {
        hop.start(library);
    }
}
