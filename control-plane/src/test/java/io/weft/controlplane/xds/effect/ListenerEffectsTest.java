package io.weft.controlplane.xds.effect;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ListenerEffectsTest {
    private static final FilterChain PLAIN = FilterChain.newBuilder().setName("plain").build();
    private static final FilterChain SECURED =
            FilterChain.newBuilder().setName("secured").setTransportSocket(TransportSocket.newBuilder().setName("tls")).build();
    private static final Listener NONE = Listener.getDefaultInstance();

    private final ListenerEffects effects = new ListenerEffects(new Called(List.of("orders"), null, null));

    private static Listener listener(TrafficDirection direction, FilterChain... chains) {
        return Listener.newBuilder().setName("l").setTrafficDirection(direction)
                .setAddress(Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(8080)))
                .addAllFilterChains(Stream.of(chains).toList()).build();
    }

    private static Listener inbound(FilterChain... chains) {
        return listener(TrafficDirection.INBOUND, chains);
    }

    @Test
    void whoIsLetIn() {
        Listener plain = inbound(PLAIN);
        Listener both = inbound(SECURED, PLAIN);
        Listener strict = inbound(SECURED);
        assertThat(effects.of(both, strict)).containsExactly("orders: now requires mutual TLS: plaintext callers will be refused");
        assertThat(effects.of(strict, both))
                .containsExactly("orders: no longer requires mutual TLS: plaintext callers will be let in, past all permissions");
        assertThat(effects.of(plain, both)).containsExactly("orders: now takes mutual TLS, too; plaintext callers are let in as before");
        assertThat(effects.of(strict, plain)).containsExactly("orders: no longer takes mutual TLS: everybody is let in in plaintext");
    }

    @Test
    void whatComesAndGoes() {
        assertThat(effects.of(NONE, inbound(PLAIN))).containsExactly("orders: port 8080 is in the mesh now");
        assertThat(effects.of(inbound(PLAIN), NONE)).containsExactly("orders: port 8080 is no longer in the mesh");
        assertThat(effects.of(NONE, listener(TrafficDirection.OUTBOUND))).containsExactly("orders: calls to port 8080 go through the mesh now");
        assertThat(effects.of(listener(TrafficDirection.OUTBOUND), NONE))
                .containsExactly("orders: calls to port 8080 no longer go through the mesh");
    }

    @Test
    void whatHasNoWordsOfItsOwn() {
        assertThat(effects.of(inbound(PLAIN), inbound(PLAIN.toBuilder().setName("other").build())))
                .containsExactly("orders: what comes in is treated otherwise: see the fields");
    }
}
