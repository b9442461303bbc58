package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.common.FilteredHttpResponse;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.ResponseHeaders;

/** What the app gets of an attempt's response. */
final class DeliveredResponse extends FilteredHttpResponse {
    private final ResponseHeaders headers;

    /** @param headers as the app is to see them */
    DeliveredResponse(WatchedResponse response, ResponseHeaders headers) {
        super(response, true);
        this.headers = headers;
    }

    @Override
    protected HttpObject filter(HttpObject part) {
        return part instanceof ResponseHeaders head && !head.status().isInformational() ? headers : part;
    }
}
