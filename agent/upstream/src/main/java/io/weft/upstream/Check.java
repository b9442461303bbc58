package io.weft.upstream;

import io.weft.dataplane.Headers;
import io.weft.dataplane.health.HealthProber.Result;
import java.util.List;
import java.util.Map;

/** One question over HTTP and what its answer means. Immutable. */
interface Check {
    String method();

    String path();

    String authority();

    /** Names in lower case, without those of the protocol itself. */
    List<Map.Entry<String, String>> headers();

    /** Bytes as characters; empty: none. */
    String body();

    /** How many bytes of the answer's body are looked at; 0: all. */
    long receiveLimit();

    /**
     * @param headers of the answer
     * @param trailers none in HTTP/1.1; the headers where there are no others
     */
    Result verdict(int status, Headers headers, StringBuilder body, Headers trailers);
}
