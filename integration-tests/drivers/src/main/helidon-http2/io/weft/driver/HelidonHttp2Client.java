package io.weft.driver;

import io.helidon.webclient.http2.Http2ClientProtocolConfig;
import java.io.IOException;

/** {@link HelidonClient} in versions that have HTTP/2 beside it. */
public final class HelidonHttp2Client {
    private HelidonHttp2Client() {}

    public static void main(String[] args) throws IOException {
        new HelidonClient(Http2ClientProtocolConfig.builder().priorKnowledge(true).build()).run();
    }
}
