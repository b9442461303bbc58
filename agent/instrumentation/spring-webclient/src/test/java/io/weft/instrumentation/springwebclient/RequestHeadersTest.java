package io.weft.instrumentation.springwebclient;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpMethod;
import org.springframework.web.reactive.function.client.ClientRequest;

class RequestHeadersTest {
    private final ClientRequest request = ClientRequest.create(HttpMethod.GET, URI.create("http://orders/"))
            .header("X-Many", "one", "two, three")
            .cookie("a", "1")
            .cookie("b", "2")
            .build();

    @Test
    void valuesAreAsTheyAre() throws ReflectiveOperationException {
        RequestHeaders headers = new RequestHeaders(request, new HeaderValues());
        assertThat(headers.values("x-many")).containsExactly("one", "two, three");
        assertThat(headers.values("x-none")).isEmpty();
    }

    @Test
    void cookiesAreAHeader() throws ReflectiveOperationException {
        assertThat(new RequestHeaders(request, new HeaderValues()).values("cookie")).containsExactly("a=1; b=2");
        ClientRequest none = ClientRequest.create(HttpMethod.GET, URI.create("http://orders/")).build();
        assertThat(new RequestHeaders(none, new HeaderValues()).values("cookie")).isEmpty();
    }
}
