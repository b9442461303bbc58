package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Demand;
import io.weft.dataplane.Exchange;
import java.io.IOException;
import org.apache.http.nio.IOControl;

/** A connection as the app has it while it reads a response's body: it may have it suspended, from any thread. */
final class WatchedInput implements IOControl {
    private final IOControl control;
    private final Exchange exchange;
    private final Demand demand = new Demand(Long.MAX_VALUE);

    WatchedInput(IOControl control, Exchange exchange) {
        this.control = control;
        this.exchange = exchange;
    }

    /** Something has come for the app. */
    void tells() {
        demand.tells(exchange, 1);
    }

    void told() {
        demand.told(exchange);
    }

    @Override
    public void requestInput() {
        demand.asks(exchange, Long.MAX_VALUE);
        control.requestInput();
    }

    @Override
    public void suspendInput() {
        demand.pauses(exchange);
        control.suspendInput();
    }

    @Override
    public void requestOutput() {
        control.requestOutput();
    }

    @Override
    public void suspendOutput() {
        control.suspendOutput();
    }

    @Override
    public void shutdown() throws IOException {
        control.shutdown();
    }

    @Override
    public String toString() {
        return control.toString();
    }
}
