package io.weft.instrumentation.reactornetty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.weft.dataplane.RequestChanges;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WireRequestTest {
    private static final RequestChanges CHANGES = new RequestChanges(
            "/v2/x?y", "inner.example", List.of(Map.entry("x-set", "mesh")), List.of(Map.entry("x-many", "two")), List.of("x-secret"));

    @Test
    void withoutChangesItIsTheAppsOwn() {
        HttpRequest request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");
        assertThat(WireRequest.of(request, RequestChanges.NONE)).isSameAs(request);
    }

    @Test
    void whatIsChangedIsChangedOnTheWireOnly() {
        HttpRequest request = app(new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.PUT, "/api/x?y"));

        HttpRequest wire = WireRequest.of(request, CHANGES);

        assertThat(wire).isNotInstanceOf(FullHttpRequest.class);
        assertThat(wire.method()).isEqualTo(HttpMethod.PUT);
        assertThat(wire.uri()).isEqualTo("/v2/x?y");
        assertThat(wire.headers().get("host")).isEqualTo("inner.example");
        assertThat(wire.headers().getAll("x-set")).containsExactly("mesh");
        assertThat(wire.headers().getAll("x-many")).containsExactly("one", "two");
        assertThat(wire.headers().contains("x-secret")).isFalse();
        assertThat(request.uri()).isEqualTo("/api/x?y");
        assertThat(request.headers().get("host")).isEqualTo("orders");
        assertThat(request.headers().get("x-secret")).isEqualTo("s");
    }

    @Test
    void theBodyIsTheSame() {
        FullHttpRequest request = (FullHttpRequest) app(new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, HttpMethod.POST, "/api/x?y", Unpooled.copiedBuffer("body", StandardCharsets.UTF_8)));

        FullHttpRequest wire = (FullHttpRequest) WireRequest.of(request, CHANGES);

        assertThat(wire.content()).isSameAs(request.content());
        assertThat(wire.refCnt()).isEqualTo(1);
        wire.release();
    }

    private static HttpRequest app(HttpRequest request) {
        request.headers().set("Host", "orders").set("X-Set", "app").set("X-Many", "one").set("x-secret", "s");
        return request;
    }
}
