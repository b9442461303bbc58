package io.weft.instrumentation.apachehttpclient4;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.message.BasicHttpRequest;
import org.junit.jupiter.api.Test;

/** Policy goes by the path, however the app has written it. */
class UnledRequestTest {
    @Test
    void thePathIsWithoutTheHost() {
        assertThat(path(new HttpGet("http://orders:8080/list?of=books"))).isEqualTo("/list?of=books");
        assertThat(path(new HttpGet("HTTP://orders"))).isEqualTo("/");
        assertThat(path(new HttpGet("http://orders?next=/admin"))).isEqualTo("/?next=/admin");
        assertThat(path(new BasicHttpRequest("GET", "/list?of=http://books/"))).isEqualTo("/list?of=http://books/");
        assertThat(path(new BasicHttpRequest("GET", "list"))).isEqualTo("/list");
    }

    private static String path(HttpRequest request) {
        return new UnledRequest(request, new HttpRoute(new HttpHost("orders", 8080))).path();
    }
}
