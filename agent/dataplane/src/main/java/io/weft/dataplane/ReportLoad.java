package io.weft.dataplane;

import io.weft.dataplane.load.LoadFormat;
import io.weft.dataplane.load.LoadMeter;

/** Says in the response of the app how busy this instance is, if the request asks for it: so that others steer away from it. */
final class ReportLoad extends ServerLayer {
    private final LoadMeter meter;

    ReportLoad(LoadMeter meter, ServerLayer inner) {
        super(inner, Phase.ENTER, Phase.RESPONSE);
        this.meter = meter;
    }

    @Override
    void enter(InboundExchange exchange) {
        exchange.loadFormat = LoadFormat.of(exchange.header(LoadFormat.ASKING_HEADER));
        innerEnter.enter(exchange);
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        innerResponse.response(exchange, status, headers);
        meter.responded(status);
        // The app's own report, which knows more, goes before.
        if (exchange.loadFormat != null && headers.header(LoadFormat.REPORT_HEADER) == null) {
            String report = meter.report(exchange.loadFormat);
            if (report != null) {
                exchange.responseChanges = exchange.responseChanges.andSet(LoadFormat.REPORT_HEADER, report);
            }
        }
    }
}
