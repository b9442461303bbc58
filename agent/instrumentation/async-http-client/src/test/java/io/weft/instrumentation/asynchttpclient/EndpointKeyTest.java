package io.weft.instrumentation.asynchttpclient;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Endpoint;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

class EndpointKeyTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress("127.0.0.1", 8080);

    private final Endpoint endpoint = new Endpoint(ADDRESS, null);

    @Test
    void connectionsToOneEndpointForOneKeyOfTheAppsAreAlike() {
        assertThat(new EndpointKey("http://orders", endpoint)).isEqualTo(new EndpointKey("http://orders", endpoint))
                .hasSameHashCodeAs(new EndpointKey("http://orders", endpoint));
    }

    /** The same address secured in another way is another endpoint. */
    @Test
    void othersAreNot() {
        assertThat(new EndpointKey("http://orders", endpoint))
                .isNotEqualTo(new EndpointKey("http://orders", new Endpoint(ADDRESS, null)))
                .isNotEqualTo(new EndpointKey("http://stock", endpoint))
                .isNotEqualTo("http://orders");
        assertThat(new EndpointKey("http://orders", endpoint).isGone()).isFalse();
    }
}
