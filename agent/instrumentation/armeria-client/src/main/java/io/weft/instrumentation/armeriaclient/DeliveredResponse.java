package io.weft.instrumentation.armeriaclient;

import com.linecorp.armeria.common.FilteredHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.ResponseHeaders;

/** What the app gets of an attempt's response. */
final class DeliveredResponse extends FilteredHttpResponse {
    private final OutgoingRequest exchange;
    private final ResponseHeaders headers;

    /** @param headers as the app is to see them */
    DeliveredResponse(HttpResponse response, OutgoingRequest exchange, ResponseHeaders headers) {
        super(response, true);
        this.exchange = exchange;
        this.headers = headers;
    }

    @Override
    protected HttpObject filter(HttpObject part) {
        if (part instanceof HttpData data) {
            exchange.bytesReceived(data.length());
        } else if (part instanceof ResponseHeaders head && !head.status().isInformational()) {
            return headers;
        }
        return part;
    }
}
